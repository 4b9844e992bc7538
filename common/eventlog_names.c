/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/eventlog.h"

#include "common/measure.h"

/*
 * TCG: PC Client Platform Firmware Profile 1.06, 10.4.1. TXT: SDG 315168, appendix on the event log. 0x501: tboot, which has no name
 * for it. 0x502-0x504: Linux Secure Launch, slaunch.h.
 */
static const struct {
	uint32_t type;
	const char *name;
} names[] = {
	{ 0x00, "EV_PREBOOT_CERT" },
	{ 0x01, "EV_POST_CODE" },
	{ 0x02, "EV_UNUSED" },
	{ 0x03, "EV_NO_ACTION" },
	{ 0x04, "EV_SEPARATOR" },
	{ 0x05, "EV_ACTION" },
	{ 0x06, "EV_EVENT_TAG" },
	{ 0x07, "EV_S_CRTM_CONTENTS" },
	{ 0x08, "EV_S_CRTM_VERSION" },
	{ 0x09, "EV_CPU_MICROCODE" },
	{ 0x0a, "EV_PLATFORM_CONFIG_FLAGS" },
	{ 0x0b, "EV_TABLE_OF_DEVICES" },
	{ 0x0c, "EV_COMPACT_HASH" },
	{ 0x0d, "EV_IPL" },
	{ 0x0e, "EV_IPL_PARTITION_DATA" },
	{ 0x0f, "EV_NONHOST_CODE" },
	{ 0x10, "EV_NONHOST_CONFIG" },
	{ 0x11, "EV_NONHOST_INFO" },
	{ 0x12, "EV_OMIT_BOOT_DEVICE_EVENTS" },
	{ 0x13, "EV_POST_CODE2" },

	{ 0x400, "EVTYPE_BASE" },
	{ 0x401, "EVTYPE_PCRMAPPING" },
	{ 0x402, "EVTYPE_HASH_START" },
	{ 0x403, "EVTYPE_COMBINED_HASH" },
	{ 0x404, "EVTYPE_MLE_HASH" },
	{ 0x40a, "EVTYPE_BIOSAC_REG_DATA" },
	{ 0x40b, "EVTYPE_CPU_SCRTM_STAT" },
	{ 0x40c, "EVTYPE_LCP_CONTROL_HASH" },
	{ 0x40d, "EVTYPE_ELEMENTS_HASH" },
	{ 0x40e, "EVTYPE_STM_HASH" },
	{ 0x40f, "EVTYPE_OSSINITDATA_CAP_HASH" },
	{ 0x410, "EVTYPE_SINIT_PUBKEY_HASH" },
	{ 0x411, "EVTYPE_LCP_HASH" },
	{ 0x412, "EVTYPE_LCP_DETAILS_HASH" },
	{ 0x413, "EVTYPE_LCP_AUTHORITIES_HASH" },
	{ 0x414, "EVTYPE_NV_INFO_HASH" },
	{ 0x415, "EVTYPE_COLD_BOOT_BIOS_HASH" },
	{ 0x416, "EVTYPE_KM_HASH" },
	{ 0x417, "EVTYPE_BPM_HASH" },
	{ 0x418, "EVTYPE_KM_INFO" },
	{ 0x419, "EVTYPE_BPM_INFO" },
	{ 0x41a, "EVTYPE_BOOT_POL_HASH" },
	{ 0x4fe, "EVTYPE_RANDOM_VALUE" },
	{ 0x4ff, "EVTYPE_CAP_VALUE" },
	{ 0x501, "TBOOT_MEASUREMENT" },
	{ 0x502, "SLAUNCH" },
	{ 0x503, "SLAUNCH_START" },
	{ 0x504, "SLAUNCH_END" },

	{ 0x80000000, "EV_EFI_EVENT_BASE" },
	{ 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
	{ 0x80000002, "EV_EFI_VARIABLE_BOOT" },
	{ 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
	{ 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
	{ 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
	{ 0x80000006, "EV_EFI_GPT_EVENT" },
	{ 0x80000007, "EV_EFI_ACTION" },
	{ 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
	{ 0x80000009, "EV_EFI_HANDOFF_TABLES" },
	{ 0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
	{ 0x8000000b, "EV_EFI_HANDOFF_TABLES2" },
	{ 0x8000000c, "EV_EFI_VARIABLE_BOOT2" },
	{ 0x8000000d, "EV_EFI_GPT_EVENT2" },
	{ 0x80000010, "EV_EFI_HCRTM_EVENT" },
	{ 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
	{ 0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB" },
	{ 0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG" },
	{ 0x800000e3, "EV_EFI_SPDM_DEVICE_POLICY" },
	{ 0x800000e4, "EV_EFI_SPDM_DEVICE_AUTHORITY" },
};

const char *event_type_name(uint32_t type)
{
	const struct measure_info *ours = measure_by_type(type);

	if (ours)
		return ours->type_name;
	for (size_t i = 0; i < GL_COUNT(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}
