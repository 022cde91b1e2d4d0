/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our transport under libfreerdp: its layer callbacks read and write there; TLS is ours, the library only believes it
 * did it. */
#include "common/log.h"
#include "server/rdp/client_info.h"
#include "server/rdp/erect_domain.h"
#include "server/rdp/fast_path.h"
#include "server/rdp/gcc_blocks.h"
#include "server/rdp/rdp.h"

#include <errno.h>

static struct front *layer_front(void *ctx)
{
    return *(struct front **)ctx;
}

static int on_read(void *ctx, void *data, int bytes)
{
    struct front *f = layer_front(ctx);
    return compat_layer_result(bytes > 0 ? transport_read(f->tp, data, (size_t)bytes) : 0);
}

static int on_write(void *ctx, const void *data, int bytes)
{
    struct front *f = layer_front(ctx);
    if (bytes <= 0)
        return 0;
    return transport_write(f->tp, data, (size_t)bytes) < 0 ? compat_layer_result(-1) : bytes;
}

/* Only asked while the library blocks, which it does between the request and our TLSAccept: nothing to wait for. */
static BOOL on_wait(void *ctx, BOOL write, DWORD timeout)
{
    return !transport_dead(layer_front(ctx)->tp);
}

static BOOL on_close(void *ctx)
{
    /* The transport is the front end's. */
    return TRUE;
}

static HANDLE on_event(void *ctx)
{
    return NULL;
}

static BOOL on_tls_accept(rdpTransport *t)
{
    rdpContext *c = transport_get_context(t);
    if (compat_nego_failed(c))
        return FALSE;
    return transport_start_tls(front_of(c)->tp) == 0;
}

/* Only NLA asks for it, and NLA is off. */
static BOOL on_public_key(rdpTransport *t, const BYTE **data, DWORD *len)
{
    *data = NULL;
    *len = 0;
    return FALSE;
}

/* Every PDU passes here before the library parses it: the place to mend one, and to take the secrets out of Client
 * Info. */
static int on_read_pdu(rdpTransport *t, wStream *s)
{
    struct front *f = front_of(transport_get_context(t));
    int n = f->library_io.ReadPdu(t, s);
    if (n <= 0)
        return n;
    f->got_pdu = true;
    if (f->info_taken) {
        f->shutdown_asked |= client_pdu_is_shutdown(Stream_Buffer(s), Stream_Length(s));
        return n;
    }
    if (!Stream_SetLength(s, erect_domain_mend(Stream_Buffer(s), Stream_Length(s))))
        return -1;
    f->message_channel |= gcc_has_message_channel(Stream_Buffer(s), Stream_Length(s));
    int r = client_info_take(Stream_Buffer(s), Stream_Length(s), &f->info);
    if (r == 0)
        f->info_taken = true;
    if (r == -EPROTO)
        log_warning("client info refused", "a string is longer than 512 bytes, or has no terminator, or is not there");
    return r == -EPROTO ? -1 : n;
}

/* A PDU stays in one piece whatever of it the library writes at a time, and so do the fragments of one update. */
static int on_write_pdu(rdpTransport *t, wStream *s)
{
    struct front *f = front_of(transport_get_context(t));
    bool more = fast_path_goes_on(Stream_Buffer(s), Stream_GetPosition(s));
    transport_unit_begin(f->tp);
    int n = f->library_io.WritePdu(t, s); /* gives the stream away */
    return more || transport_unit_end(f->tp) == 0 ? n : -1;
}

bool rdp_link_init(struct front *f)
{
    rdpContext *c = f->client->context;
    rdpTransport *t = freerdp_get_transport(c);
    f->library_io = *freerdp_get_io_callbacks(c);
    rdpTransportLayer *layer = transport_layer_new(t, sizeof(struct front *));
    if (!layer)
        return false;
    *(struct front **)layer->userContext = f;
    layer->Read = on_read;
    layer->Write = on_write;
    layer->Wait = on_wait;
    layer->Close = on_close;
    layer->GetEvent = on_event;
    if (!f->library_io.AttachLayer(t, layer)) {
        transport_layer_free(layer);
        return false;
    }
    rdpTransportIo io = f->library_io;
    io.TLSAccept = on_tls_accept;
    io.GetPublicKey = on_public_key;
    io.ReadPdu = on_read_pdu;
    io.WritePdu = on_write_pdu;
    return freerdp_set_io_callbacks(c, &io);
}
