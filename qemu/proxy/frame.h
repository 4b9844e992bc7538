/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_PROXY_FRAME_H
#define GL_PROXY_FRAME_H

/* What a look at the start of a byte stream finds. */
enum frame {
	FRAME_MORE,  /* the message is not complete yet */
	FRAME_WHOLE, /* a complete message is there */
	FRAME_BAD    /* this can never become a message that we take */
};

#endif
