/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The services that this front end turns into channels. With ORIEL_TEST_SERVICES also those for tests; nothing that is
 * installed is built so. */
#include "server/rdp/rdp.h"

const struct rdp_service *const rdp_service_table[] = {
#if ORIEL_TEST_SERVICES
    &rdp_echo,
#endif
    NULL,
};
