/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_FAKE_EFI_H
#define GL_TESTS_FAKE_EFI_H

#include <efi.h>
#include <setjmp.h>

#include "common/span.h"
#include "tests/unit/pe_sample.h"

/*
 * Firmware for tests: a system table whose entries behave as UEFI 2.9 says, as far as geolaunch.efi uses them. Wrong use (a double
 * free, a handle that is none, a file closed twice) fails the test; what is not there answers EFI_UNSUPPORTED.
 * There is one firmware, `fw`, as there is on a machine: boot services have no context argument.
 */

#define FW_HANDLES 16
#define FW_INTERFACES 4
#define FW_FILES 160
#define FW_VARIABLES 4
#define FW_TABLES 4
#define FW_EVENTS 2
#define FW_CONSOLE (256 * 1024)

struct fw_handle {
	bool used;
	struct {
		EFI_GUID guid;
		void *interface; /* NULL: free */
	} protocols[FW_INTERFACES];
	/* of an image that LoadImage() made */
	EFI_LOADED_IMAGE *image;
};

struct fw_memory {
	struct fw_memory *next;
	void *p;
	UINTN pages; /* 0: pool */
	EFI_MEMORY_TYPE type;
};

/* A file of the volume, and how it fails. */
struct fw_file {
	const char *path; /* "\\EFI\\geolaunch\\linux" */
	struct span bytes;
	EFI_STATUS open_status, info_status;
	bool stalls;           /* opening it, or the read of error_at, never ends */
	uint64_t claimed_size; /* GetInfo() says this if it is not 0 */
	size_t error_at;       /* reading this byte fails; SIZE_MAX never */
	size_t end_at;         /* Read() finds the end of the file here; SIZE_MAX where it is */
	size_t piece;          /* a Read() gives at most so many bytes; 0 no limit */
	size_t served;         /* bytes handed out so far: whoever reads them a second time gets others */
	unsigned opened;
};

struct fw_variable {
	CHAR16 name[32];
	EFI_GUID guid;
	UINT32 attributes;
	uint8_t *data;
	size_t n;
};

enum fw_end {
	FW_RETURNED, /* the application came back, with `status` */
	FW_RESET,    /* it called ResetSystem() */
	FW_STARTED,  /* the kernel took over the machine */
};

struct fake_efi {
	EFI_SYSTEM_TABLE st;
	EFI_BOOT_SERVICES bs;
	EFI_RUNTIME_SERVICES rs;
	SIMPLE_TEXT_OUTPUT_INTERFACE con_out;
	EFI_CONFIGURATION_TABLE tables[FW_TABLES];
	struct fw_handle handles[FW_HANDLES];
	EFI_HANDLE application; /* with a loaded image that came from the volume */
	EFI_LOADED_IMAGE application_image;
	uint8_t application_memory[SAMPLE_PE_MEMORY]; /* headers and sections, nothing that runs */
	EFI_HANDLE disk;                              /* with the volume */
	EFI_FILE_IO_INTERFACE volume;

	/* memory */
	struct fw_memory *memory;
	unsigned allocations;
	unsigned fail_allocation; /* this one, from 1, fails; 0 none */
	EFI_STATUS map_status;    /* of GetMemoryMap() */
	UINTN map_key;            /* another one after each change of the map */
	unsigned exits;           /* calls of Exit() that reached the firmware */

	/* files */
	struct fw_file files[FW_FILES];
	size_t file_count;
	unsigned open_files;      /* and folders */
	bool volume_stalls;       /* OpenVolume() never ends */
	EFI_STATUS volume_status; /* of OpenVolume() */
	bool no_second_open;      /* opening a file again fails the test */

	/* images */
	EFI_STATUS load_status;
	bool has_security;         /* the firmware has the Security2 protocol and asks it before it loads an image */
	EFI_STATUS authentication; /* what its own judgement is then */
	unsigned authentications;
	bool kernel_returns; /* ... with kernel_status; else it takes over */
	EFI_STATUS kernel_status;
	EFI_STATUS loaded_image_status; /* of HandleProtocol() for a loaded image of ours */
	bool (*firmware_ready)(void);   /* can the firmware measure at this moment? NULL: it has nothing to measure with */
	uint8_t *kernel;                /* a copy of what LoadImage() was given */
	size_t kernel_n;
	char options[4096]; /* that the kernel found */
	uint8_t *initrd;    /* that it got from LoadFile2 as Linux does */
	size_t initrd_n;
	EFI_STATUS initrd_status; /* of its search; EFI_NOT_FOUND: none there */
	unsigned loads, starts;

	/* runtime */
	struct fw_variable variables[FW_VARIABLES];
	EFI_STATUS variable_status, table_status;
	EFI_RESET_TYPE reset_type;
	EFI_STATUS reset_status;

	/* time */
	uint64_t clock_us; /* Stall() and every look at the clock move it */
	uint64_t read_us;  /* time that a Read() takes */
	uint64_t stalled_us;
	unsigned idle_resets;
	unsigned watchdog_off;
	UINTN watchdog;                        /* seconds that it is armed for */
	EFI_STATUS event_status, timer_status; /* of CreateEvent(), and of SetTimer() to arm it */
	struct fw_event {
		EFI_EVENT_NOTIFY notify;
		void *ctx;
		bool open, armed;
	} events[FW_EVENTS];
	bool notified; /* within an event's function: what may not be called at TPL_NOTIFY fails the test */

	/* console: what was written, without '\r' */
	char console[FW_CONSOLE];
	size_t console_n;

	jmp_buf end;
	enum fw_end ended;
	EFI_STATUS status;
};

extern struct fake_efi fw;

/* A machine with an empty volume. Frees what the last one left. */
void fw_init(void);

/* Adds a file to the volume; its bytes stay the caller's. */
struct fw_file *fw_add_file(const char *path, struct span bytes);
struct fw_file *fw_find_file(const char *path);

/* Installs a protocol on a new handle (or on `*handle`). */
void fw_install(EFI_HANDLE *handle, const EFI_GUID *guid, void *interface);

/*
 * The firmware asks its Security2 protocol before it loads an image, whose own judgement is `authentication`. The other one tells whether
 * nobody has put himself before it.
 */
void fw_add_security(EFI_STATUS authentication);
bool fw_security_is_own(void);

/* Runs an application until it returns, resets the machine or hands it over. */
enum fw_end fw_run(EFI_STATUS (*entry)(void *ctx), void *ctx);

/* Fails the test if memory, handles or files that the application took are still there. Memory of a configuration table may be. */
void fw_assert_nothing_left(void);

/* Of the variable, NULL if there is none. */
const struct fw_variable *fw_variable(const CHAR16 *name, const EFI_GUID *guid);
const void *fw_table(const EFI_GUID *guid);

/* Number of console lines that contain the text. */
unsigned fw_console_count(const char *text);

uint64_t fw_ticks(void);

/*
 * Memory below 4 GiB, for those who want it at an address or below one: FW_LOW_PAGES pages from fw_low_base() on, which GetMemoryMap()
 * shows as conventional memory where nobody has taken them, among others that can only be looked at.
 */
#define FW_LOW_PAGES 8192
uint32_t fw_low_base(void);
unsigned fw_low_taken(void); /* pages */
/* Takes pages away from the beginning or the end of it, as firmware does. */
void fw_low_reserve(unsigned from_start, unsigned from_end);
/* Makes the first page that is free one of the runtime's; returns its address. */
uint32_t fw_low_change(void);

/* Used by the parts of the fake only. */
/* A call of the firmware's that never ends: whatever was armed does. Nothing: the test fails. */
_Noreturn void fw_stall(void);

/* ResetSystem() of firmware that does not switch off; counted in fw.idle_resets. */
EFI_STATUS EFIAPI fw_idle_reset(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data);
void fw_init_events(void);
EFI_STATUS fw_low_allocate(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages, EFI_PHYSICAL_ADDRESS *where);
bool fw_low_owns(EFI_PHYSICAL_ADDRESS where);
EFI_STATUS fw_low_free(EFI_PHYSICAL_ADDRESS where, UINTN pages);
void fw_init_low(void);
void fw_init_memory(void);
void fw_init_protocols(void);
void fw_init_files(void);
void fw_init_images(void);
unsigned fw_open_events(void);
bool fw_guid_equal(const EFI_GUID *a, const EFI_GUID *b);
struct fw_handle *fw_handle(EFI_HANDLE h);
void **fw_protocol(EFI_HANDLE h, const EFI_GUID *guid);
EFI_HANDLE fw_new_handle(void);
_Noreturn void fw_leave(enum fw_end how);

/* For entries that geolaunch.efi has no use for. */
#define FW_UNSUPPORTED(entry) ((__typeof__(entry))(void *)fw_unsupported)
EFI_STATUS EFIAPI fw_unsupported(void);

#endif
