/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/client_info.h"

#include "common/secret.h"

#include <errno.h>
#include <string.h>

#define SEC_INFO_PKT 0x0040u
#define INFO_AUTOLOGON 0x00000008u
#define INFO_UNICODE 0x00000010u
/* T.125: choice 25, six bits, with the two bits of its optional fields */
#define MCS_SEND_DATA_REQUEST 0x64
#define PDUTYPE_DATA 7 /* MS-RDPBCGR 2.2.8.1.1.1.1 */
#define PDUTYPE2_SHUTDOWN_REQUEST 36
/* MS-RDPBCGR 2.2.1.11.1.1: no string of Client Info is longer, its terminator included */
#define FIELD_MAX 512
/* libfreerdp's limit: the same, less the terminator that must not be counted */
#define LIBRARY_MAX 510
#define TIME_ZONE_BYTES 172
#define ARC_CS_BYTES 28

/* Append one code point. Returns false when it does not fit. */
static bool put_utf8(uint8_t *out, size_t cap, size_t *n, uint32_t c)
{
    uint8_t b[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        b[i] = 0x80 | (c & 0x3f);
    b[0] = lead[len] | (uint8_t)c;
    if (cap - *n < len)
        return false;
    memcpy(out + *n, b, len);
    *n += len;
    return true;
}

/* One code point of UTF-16LE at p[*i]; advances. Returns UINT32_MAX for a lone surrogate. */
static uint32_t get_utf16(const uint8_t *p, size_t units, size_t *i)
{
    uint32_t c = (uint32_t)(p[2 * *i] | p[2 * *i + 1] << 8);
    (*i)++;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c >= 0xdc00 || *i == units)
        return UINT32_MAX;
    uint32_t low = (uint32_t)(p[2 * *i] | p[2 * *i + 1] << 8);
    if (low < 0xdc00 || low > 0xdfff)
        return UINT32_MAX;
    (*i)++;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* To UTF-8; a client without INFO_UNICODE sends an 8-bit code page, taken as Latin-1. Returns the length or -1. */
static int to_utf8(const uint8_t *p, size_t bytes, bool unicode, uint8_t *out, size_t cap)
{
    size_t n = 0, units = unicode ? bytes / 2 : bytes;
    if (unicode && bytes % 2)
        return -1;
    for (size_t i = 0; i < units;) {
        uint32_t c = unicode ? get_utf16(p, units, &i) : p[i++];
        if (c == UINT32_MAX || !put_utf8(out, cap, &n, c))
            return -1;
    }
    return (int)n;
}

/* Some clients count the terminator in. */
static size_t without_terminator(const uint8_t *p, size_t bytes, bool unicode)
{
    if (unicode && bytes >= 2 && !p[bytes - 1] && !p[bytes - 2])
        return bytes - 2;
    return !unicode && bytes && !p[bytes - 1] ? bytes - 1 : bytes;
}

/* A name: NUL inside makes it no name. */
static bool take_name(const uint8_t *p, size_t bytes, bool unicode, char *out, size_t cap)
{
    int n = to_utf8(p, without_terminator(p, bytes, unicode), unicode, (uint8_t *)out, cap - 1);
    if (n < 0 || memchr(out, 0, (size_t)n)) {
        out[0] = 0;
        return false;
    }
    out[n] = 0;
    return true;
}

static void take_password(const uint8_t *p, size_t bytes, bool unicode, struct credentials *ci)
{
    int n = to_utf8(p, without_terminator(p, bytes, unicode), unicode, ci->password, sizeof ci->password);
    ci->npassword = n < 0 ? 0 : (uint32_t)n;
    ci->bad_credentials |= n < 0;
    ci->have_password = n > 0 || ci->autologon;
}

/* What the library reads instead: text of the same length. */
static void overwrite(const uint8_t *p, size_t bytes, bool unicode)
{
    uint8_t *w = (uint8_t *)p; /* the caller's buffer is writable: client_info_take's contract */
    for (size_t i = 0; i < bytes; i++)
        w[i] = unicode && i % 2 ? 0 : 'x';
}

enum { DOMAIN, USER, PASSWORD, SHELL, FOLDER, STRINGS };
struct strings {
    /* In the PDU: flags, the five lengths, and then the strings, each with its terminator */
    uint8_t *flags;
    bool unicode;
    uint16_t bytes[STRINGS]; /* without the terminator, if the client keeps to the specification */
    const uint8_t *at[STRINGS];
};

/* False: one is too long, or ends without its terminator: where the next one begins is not known. */
static bool read_strings(struct rd *r, struct strings *s)
{
    static const uint8_t zero[2];
    size_t end = s->unicode ? 2 : 1;
    for (int i = 0; i < STRINGS; i++)
        s->bytes[i] = rd_u16(r);
    for (int i = 0; i < STRINGS; i++) {
        s->at[i] = rd_bytes(r, s->bytes[i]);
        const uint8_t *terminator = rd_bytes(r, end);
        if (r->bad || s->bytes[i] > FIELD_MAX || memcmp(terminator, zero, end) != 0)
            return false;
    }
    return true;
}

/* libfreerdp ends the connection over strings that we can read, or can refuse in words: of an odd length, which
 * eight-bit clients may send, of 512 bytes, and those that are no text. */
static bool library_refuses(const struct strings *s, bool no_text)
{
    uint8_t text[FIELD_MAX * 3];
    bool refuses = no_text;
    for (int i = 0; i < STRINGS; i++)
        refuses |= s->bytes[i] % 2 || s->bytes[i] > LIBRARY_MAX;
    for (int i = SHELL; i < STRINGS; i++)
        refuses |= to_utf8(s->at[i], s->bytes[i], s->unicode, text, sizeof text) < 0;
    return refuses;
}

/* Put five strings that the library takes into the room that these have. Nobody reads them: ours have been taken
 * already. */
static void replace_strings(struct strings *s)
{
    size_t total = (size_t)(s->at[FOLDER] - s->at[DOMAIN]) + s->bytes[FOLDER] + (s->unicode ? 2 : 1);
    size_t end = total % 2 ? 1 : 2; /* lengths are even, so the terminators decide which totals can be had */
    if (total < STRINGS * end || total - STRINGS * end > STRINGS * LIBRARY_MAX || (total - STRINGS * end) % 2)
        return; /* the library refuses it */
    size_t left = total - STRINGS * end;
    uint8_t *length = s->flags + 4, *text = length + 2 * STRINGS;
    s->flags[0] = (uint8_t)((s->flags[0] & ~INFO_UNICODE) | (end == 2 ? INFO_UNICODE : 0));
    memset(text, 0, total);
    for (int i = STRINGS - 1; i >= 0; i--) { /* the last two have the widest limits with clients of RDP 4 */
        size_t n = left < LIBRARY_MAX ? left : LIBRARY_MAX;
        left -= n;
        length[2 * i] = (uint8_t)n;
        length[2 * i + 1] = (uint8_t)(n >> 8);
    }
    for (int i = 0; i < STRINGS; i++) {
        size_t n = (size_t)(length[2 * i] | length[2 * i + 1] << 8);
        overwrite(text, n, end == 2);
        text += n + end;
    }
}

static void take_cookie(struct rd *r, struct credentials *ci)
{
    uint16_t len = rd_u16(r);
    if (r->bad || len != ARC_CS_BYTES)
        return;
    uint32_t cb = rd_u32(r), version = rd_u32(r), id = rd_u32(r);
    const uint8_t *v = rd_bytes(r, sizeof ci->verifier);
    if (!v)
        return;
    ci->have_cookie = cb == ARC_CS_BYTES && version == 1;
    ci->logon_id = id;
    memcpy(ci->verifier, v, sizeof ci->verifier);
    overwrite(v, sizeof ci->verifier, false);
}

/* TS_EXTENDED_INFO_PACKET, 2.2.1.11.1.1.1: everything from the time zone on is optional. */
static void take_extended(struct rd *r, struct credentials *ci)
{
    rd_skip(r, 2);         /* clientAddressFamily */
    rd_skip(r, rd_u16(r)); /* clientAddress */
    rd_skip(r, rd_u16(r)); /* clientDir */
    rd_skip(r, TIME_ZONE_BYTES);
    rd_skip(r, 4 + 4); /* clientSessionId, performanceFlags */
    if (!r->bad)
        take_cookie(r, ci);
}

/* TPKT, X.224 data and MCS SendDataRequest. Returns false when it is something else. */
static bool read_headers(struct rd *r, size_t len)
{
    if (rd_u8(r) != 3)
        return false;
    rd_skip(r, 1);
    if (rd_u16be(r) != len)
        return false;
    if (rd_u8(r) != 2 || rd_u8(r) != 0xf0 || rd_u8(r) != 0x80)
        return false;
    if (rd_u8(r) != MCS_SEND_DATA_REQUEST)
        return false;
    rd_skip(r, 2 + 2 + 1); /* initiator, channelId, priority and segmentation */
    if (rd_u8(r) & 0x80)   /* PER length: one byte or two */
        rd_skip(r, 1);
    return !r->bad;
}

static bool is_info(struct rd *r)
{
    uint16_t flags = rd_u16(r);
    rd_skip(r, 2); /* flagsHi */
    return !r->bad && (flags & SEC_INFO_PKT);
}

bool client_pdu_is_shutdown(const uint8_t *pdu, size_t len)
{
    struct rd r;
    rd_init(&r, pdu, len);
    if (!read_headers(&r, len))
        return false;
    rd_skip(&r, 2); /* totalLength */
    uint16_t type = rd_u16(&r);
    rd_skip(&r, 2 + 4 + 1 + 1 + 2); /* pduSource, shareId, pad, streamId, uncompressedLength */
    return (type & 0xf) == PDUTYPE_DATA && rd_u8(&r) == PDUTYPE2_SHUTDOWN_REQUEST && !r.bad;
}

int client_info_take(uint8_t *pdu, size_t len, struct credentials *out)
{
    struct strings s;
    struct rd r;
    rd_init(&r, pdu, len);
    if (!read_headers(&r, len) || !is_info(&r))
        return -ENOENT;
    memset(out, 0, sizeof *out);
    rd_skip(&r, 4); /* CodePage */
    s.flags = (uint8_t *)r.p;
    uint32_t flags = rd_u32(&r);
    s.unicode = flags & INFO_UNICODE;
    out->autologon = flags & INFO_AUTOLOGON;
    if (!read_strings(&r, &s))
        return -EPROTO;
    out->bad_credentials = !take_name(s.at[DOMAIN], s.bytes[DOMAIN], s.unicode, out->domain, sizeof out->domain);
    out->bad_credentials |= !take_name(s.at[USER], s.bytes[USER], s.unicode, out->user, sizeof out->user);
    take_password(s.at[PASSWORD], s.bytes[PASSWORD], s.unicode, out);
    overwrite(s.at[PASSWORD], s.bytes[PASSWORD], s.unicode);
    if (library_refuses(&s, out->bad_credentials))
        replace_strings(&s);
    take_extended(&r, out);
    return 0;
}
