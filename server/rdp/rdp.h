/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `rdp` front end: what its files share. Win32 words (HANDLE, wStream, BOOL) stay in here. */
#ifndef ORIEL_SERVER_RDP_RDP_H
#define ORIEL_SERVER_RDP_RDP_H

#include "codecs/wire/gfx_wire.h"
#include "server/peer/peer.h"
#include "server/peer/transport.h"
#include "server/rdp/dvc.h"
#include "server/rdp/svc.h"

#include <freerdp/freerdp.h>
#include <freerdp/peer.h>
#include <freerdp/transport_io.h>

struct event;

/* The pointer cache (MS-RDPBCGR 2.2.7.1.5): which shape (display_cursor.serial) lies in which of the client's slots. */
#define POINTER_SLOTS_MAX 64
struct pointer_cache {
    unsigned slots; /* the client's cache; 0 until it is known */
    uint32_t serial[POINTER_SLOTS_MAX];
    bool used[POINTER_SLOTS_MAX];
    uint64_t touched[POINTER_SLOTS_MAX], clock;
    struct display_cursor shape; /* the last one: sent again after a reactivation */
    bool have;
};

enum rdp_gfx_state {
    GFX_CLOSED,  /* not before the login; or given up: the older ways */
    GFX_OPENING, /* asked; the client's caps are awaited */
    GFX_OPEN,    /* caps confirmed */
};
struct rdp_gfx {
    enum rdp_gfx_state state;
    struct dvc_channel *channel;
    struct gfx_wire *wire;
    struct engine_caps caps;
    struct event *patience; /* running while OPENING */
    bool offered;           /* the client made its cache offer since the caps */
    struct gfx_in in;       /* too large for the stack */
};

/* The client's measurements of the way to it. */
struct measurement {
    uint16_t sequence; /* of the last requests */
    bool rtt_asked, bandwidth_asked;
    uint64_t asked_us;                 /* when; 0 never */
    uint32_t rtt_us, bytes_per_second; /* 0: not known */
};

struct front {
    struct peer *peer;
    int fd; /* until the transport has it; then -1 */
    SSL_CTX *tls;
    struct transport *tp;
    freerdp_peer *client;
    rdpTransportIo library_io; /* the library's own callbacks, to call on */
    bool got_pdu;              /* ReadPdu delivered one in this round */
    bool message_channel;      /* the client has one: heartbeats and measurements go there */
    bool info_taken;           /* Client Info came by */
    struct measurement autodetect;
    bool shutdown_asked; /* the client asked to leave: what follows is no protocol error */
    struct credentials info;
    struct client_facts facts;
    bool facts_known;
    bool connected; /* activated once */
    bool active;    /* activated now; false during a reactivation */
    bool granted, logon_told;
    struct peer_verdict verdict;
    struct peer_cookie cookie;
    bool cookie_due;
    bool desktop_due; /* width, height and layout wait to become the client's */
    uint16_t width, height;
    struct display_layout layout;
    struct gfx_monitor monitors_told[GFX_MONITORS_MAX]; /* in the last Monitor Layout PDU */
    size_t nmonitors_told;                              /* 0: the client has no such PDU */
    struct svc *svc;                                    /* from create to destroy */
    bool channels_open;                                 /* rdp_channels_open opened all that the client has */
    struct svc_channel *dynamic;                        /* drdynvc; NULL: not open */
    struct dvc *dvc;                                    /* while drdynvc is open */
    struct rdp_gfx gfx;
    struct dvc_channel *disp;
    struct pointer_cache pointer;
    uint16_t high_surrogate; /* Unicode input in two halves */
    int32_t x, y;            /* where the pointer is, as far as we know */
};
struct front_context {
    rdpContext base;
    struct front *front;
};
static inline struct front *front_of(rdpContext *c)
{
    return ((struct front_context *)c)->front;
}

/* ---- freerdp_compat.c: everything that one version of the library makes necessary ---- */
/* Once per process, before the sandbox: providers, logging, tables. */
int compat_init_library(void);
/* How Read and Write of a layer say "again" and "closed" to every version: returns `n` for the library. */
int compat_layer_result(int n);
/* Whether the client ended the connection with an MCS Disconnect Provider Ultimatum: the library then only says
 * "failed". */
bool compat_client_disconnected(rdpContext *c);
/* Whether TLSAccept was called although the negotiation failed. */
bool compat_nego_failed(rdpContext *c);

/* ---- rdp_settings.c ---- */
bool rdp_settings_init(struct front *f, const char *certificate_pem);
/* Fill f->facts from what the client said. */
void rdp_facts(struct front *f);

/* ---- rdp_link.c: the library's io callbacks over the transport ---- */
bool rdp_link_init(struct front *f);

/* ---- rdp_monitors.c ---- */
void rdp_monitors_init(struct front *f);
/* Whether the client was told other monitors than f->layout has; false if it cannot be told. */
bool rdp_monitors_differ(const struct front *f);

/* ---- rdp_autodetect.c ---- */
void rdp_autodetect_init(struct front *f);
/* Around the sending of a frame. Returns true where the frame is being measured: then `after` is to be called. */
bool rdp_autodetect_before(struct front *f, size_t frame_bytes);
void rdp_autodetect_after(struct front *f);

/* ---- rdp_input.c ---- */
void rdp_input_init(struct front *f);

/* ---- rdp_channels.c ---- */
/* Returns 0 or -ENOMEM. */
int rdp_channels_init(struct front *f);
/* Open what the client offers; only once the monitor granted the login and the client is active. */
void rdp_channels_open(struct front *f);
void rdp_channels_finish(struct front *f);
/* One chunk of a static channel. Returns 0; or negative errno, logged with its reason: end the connection. */
int rdp_channels_receive(struct front *f, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total);

/* ---- rdp_services.c, and one rdp_NAME.c for each service ---- */
struct rdp_service {
    enum service service;
    enum traffic_class traffic; /* of all that its channels carry */
    /* It is granted and dynamic channels can be opened: announce it. Mandatory. */
    void (*open)(struct front *f);
    /* As front_end_services. Mandatory. */
    int (*message)(struct front *f, const struct granted_service *g, const struct wire_def *def, const void *msg);
    /* Take back what was announced; also when nothing was. Mandatory. */
    void (*close)(struct front *f);
    /* rdp_services_have_room may have become true: read on. Mandatory. */
    void (*room)(struct front *f);
};
extern const struct rdp_service *const rdp_service_table[]; /* NULL-terminated */
extern const struct rdp_service rdp_echo;                   /* in builds for tests */
extern const struct front_end_services rdp_services;
/* Dynamic channels can be opened from now on; they are gone; there is room for this class again. */
void rdp_services_open(struct front *f);
void rdp_services_close(struct front *f);
void rdp_services_room(struct front *f, enum traffic_class traffic);
/* May the service send something now? Where not, it stops reading its link. */
bool rdp_services_have_room(const struct front *f, const struct rdp_service *s);

/* ---- rdp_gfx.c ---- */
int rdp_gfx_open(struct front *f);
/* The client stopped acknowledging (it closes its end for good after an error): start over in a new channel, or in the
 * older ways. */
void rdp_gfx_reopen(struct front *f);
void rdp_gfx_finish(struct front *f);
int rdp_gfx_desktop(struct front *f);
int rdp_gfx_frame(struct front *f, const struct gfx_frame *frame);
int rdp_gfx_cache_taken(struct front *f, const uint16_t *slots, size_t n);

/* ---- rdp_legacy.c ---- */
void rdp_legacy_caps(const struct front *f, struct engine_caps *out);
int rdp_legacy_frame(struct front *f, const struct gfx_frame *frame);
/* Returns true when the client's desktop has that size now; else a reactivation is under way. */
bool rdp_legacy_desktop(struct front *f);

/* ---- rdp_disp.c ---- */
void rdp_disp_open(struct front *f);

/* ---- rdp_pointer.c ---- */
void rdp_pointer_reset(struct front *f);
void rdp_pointer_shape(struct front *f, const struct display_cursor *c);
void rdp_pointer_move(struct front *f, int32_t x, int32_t y);

/* ---- rdp_info.c ---- */
void rdp_info_logon(struct front *f);
void rdp_info_cookie(struct front *f);
void rdp_info_leds(struct front *f, uint8_t locks);
void rdp_info_heartbeat(struct front *f, unsigned period);
void rdp_info_end(struct front *f, enum end_cause cause, const char *text);

/* ---- rdp_peer.c ---- */
/* False before Deactivate All is sent, true when Font Map was. */
void rdp_set_active(struct front *f, bool active);
/* Make the desktop asked for real, by the way that is open now. */
void rdp_desktop_try(struct front *f);

#endif
