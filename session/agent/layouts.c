/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sources: the KLIDs of "Windows language pack default values and keyboard identifiers" (learn.microsoft.com), the
 * layouts of xkeyboard-config's rules/evdev.lst. A layout without Latin letters has "us" as its second group: programs
 * find their shortcuts there. */
#include "session/agent/layouts.h"

#define PRIMARY_LANGUAGE 0x3ffu /* the low ten bits of a language id; the rest is the country */
#define SUBLANGUAGE_DEFAULT 0x400u

const struct layout_entry layouts_table[] = {
    {0x00000401, {"pc105", "ara,us", "", ""}},                  /* Arabic (101) */
    {0x00010401, {"pc105", "ara,us", "", ""}},                  /* Arabic (102) */
    {0x00020401, {"pc105", "ara,us", "azerty,", ""}},           /* Arabic (102) AZERTY */
    {0x00000402, {"pc105", "bg,us", "", ""}},                   /* Bulgarian (Typewriter) */
    {0x00010402, {"pc105", "us", "", ""}},                      /* Bulgarian (Latin) */
    {0x00020402, {"pc105", "bg,us", "phonetic,", ""}},          /* Bulgarian (Phonetic) */
    {0x00030402, {"pc105", "bg,us", "", ""}},                   /* Bulgarian */
    {0x00040402, {"pc105", "bg,us", "phonetic,", ""}},          /* Bulgarian (Phonetic Traditional) */
    {0x00000403, {"pc105", "es", "cat", ""}},                   /* Catalan */
    {0x00000404, {"pc105", "us", "", ""}},                      /* Chinese (Traditional) */
    {0x00000405, {"pc105", "cz", "", ""}},                      /* Czech */
    {0x00010405, {"pc105", "cz", "qwerty", ""}},                /* Czech (QWERTY) */
    {0x00020405, {"pc105", "cz", "coder", ""}},                 /* Czech Programmers */
    {0x00000406, {"pc105", "dk", "", ""}},                      /* Danish */
    {0x00000407, {"pc105", "de", "", ""}},                      /* German */
    {0x00010407, {"pc105", "de", "", ""}},                      /* German (IBM) */
    {0x00000408, {"pc105", "gr,us", "", ""}},                   /* Greek */
    {0x00010408, {"pc105", "gr,us", "", ""}},                   /* Greek (220) */
    {0x00020408, {"pc105", "gr,us", "", ""}},                   /* Greek (319) */
    {0x00060408, {"pc105", "gr,us", "polytonic,", ""}},         /* Greek Polytonic */
    {0x00000409, {"pc105", "us", "", ""}},                      /* US */
    {0x00010409, {"pc105", "us", "dvorak", ""}},                /* US Dvorak */
    {0x00020409, {"pc105", "us", "intl", ""}},                  /* US International */
    {0x00030409, {"pc105", "us", "dvorak-l", ""}},              /* US Dvorak for left hand */
    {0x00040409, {"pc105", "us", "dvorak-r", ""}},              /* US Dvorak for right hand */
    {0x00050409, {"pc105", "us", "", ""}},                      /* US English Table for IBM Arabic 238_L */
    {0x00060409, {"pc105", "us", "colemak", ""}},               /* US Colemak */
    {0x0000040a, {"pc105", "es", "", ""}},                      /* Spanish */
    {0x0001040a, {"pc105", "es", "", ""}},                      /* Spanish Variation */
    {0x0000040b, {"pc105", "fi", "", ""}},                      /* Finnish */
    {0x0000040c, {"pc105", "fr", "", ""}},                      /* French */
    {0x0001040c, {"pc105", "fr", "afnor", ""}},                 /* French (Standard, AZERTY) */
    {0x0002040c, {"pc105", "fr", "bepo_afnor", ""}},            /* French (Standard, BEPO) */
    {0x0000040d, {"pc105", "il,us", "", ""}},                   /* Hebrew */
    {0x0002040d, {"pc105", "il,us", "", ""}},                   /* Hebrew (Standard) */
    {0x0000040e, {"pc105", "hu", "", ""}},                      /* Hungarian */
    {0x0001040e, {"pc105", "hu", "101_qwerty_comma_dead", ""}}, /* Hungarian 101-key */
    {0x0000040f, {"pc105", "is", "", ""}},                      /* Icelandic */
    {0x00000410, {"pc105", "it", "", ""}},                      /* Italian */
    {0x00010410, {"pc105", "it", "", ""}},                      /* Italian (142) */
    {0x00000411, {"jp106", "jp", "", ""}},                      /* Japanese */
    {0x00000412, {"kr106", "kr", "", ""}},                      /* Korean */
    {0x00000413, {"pc105", "nl", "", ""}},                      /* Dutch */
    {0x00000414, {"pc105", "no", "", ""}},                      /* Norwegian */
    {0x00000415, {"pc105", "pl", "", ""}},                      /* Polish (Programmers) */
    {0x00010415, {"pc105", "pl", "qwertz", ""}},                /* Polish (214) */
    {0x00000416, {"abnt2", "br", "", ""}},                      /* Portuguese (Brazil ABNT) */
    {0x00010416, {"abnt2", "br", "", ""}},                      /* Portuguese (Brazil ABNT2) */
    {0x00000418, {"pc105", "ro", "std", ""}},                   /* Romanian (Legacy) */
    {0x00010418, {"pc105", "ro", "std", ""}},                   /* Romanian (Standard) */
    {0x00020418, {"pc105", "ro", "", ""}},                      /* Romanian (Programmers) */
    {0x00000419, {"pc105", "ru,us", "", ""}},                   /* Russian */
    {0x00010419, {"pc105", "ru,us", "typewriter,", ""}},        /* Russian (Typewriter) */
    {0x00020419, {"pc105", "ru,us", "phonetic,", ""}},          /* Russian (Mnemonic) */
    {0x0000041a, {"pc105", "hr", "", ""}},                      /* Croatian */
    {0x0000041b, {"pc105", "sk", "", ""}},                      /* Slovak */
    {0x0001041b, {"pc105", "sk", "qwerty", ""}},                /* Slovak (QWERTY) */
    {0x0000041c, {"pc105", "al", "", ""}},                      /* Albanian */
    {0x0000041d, {"pc105", "se", "", ""}},                      /* Swedish */
    {0x0000041e, {"pc105", "th,us", "", ""}},                   /* Thai Kedmanee */
    {0x0001041e, {"pc105", "th,us", "pat,", ""}},               /* Thai Pattachote */
    {0x0000041f, {"pc105", "tr", "", ""}},                      /* Turkish Q */
    {0x0001041f, {"pc105", "tr", "f", ""}},                     /* Turkish F */
    {0x00000420, {"pc105", "pk,us", "", ""}},                   /* Urdu */
    {0x00000421, {"pc105", "us", "", ""}},                      /* Indonesian */
    {0x00000422, {"pc105", "ua,us", "", ""}},                   /* Ukrainian */
    {0x00020422, {"pc105", "ua,us", "", ""}},                   /* Ukrainian (Enhanced) */
    {0x00000423, {"pc105", "by,us", "", ""}},                   /* Belarusian */
    {0x00000424, {"pc105", "si", "", ""}},                      /* Slovenian */
    {0x00000425, {"pc105", "ee", "", ""}},                      /* Estonian */
    {0x00000426, {"pc105", "lv", "", ""}},                      /* Latvian */
    {0x00010426, {"pc105", "lv", "", ""}},                      /* Latvian (QWERTY) */
    {0x00020426, {"pc105", "lv", "", ""}},                      /* Latvian (Standard) */
    {0x00000427, {"pc105", "lt", "ibm", ""}},                   /* Lithuanian IBM */
    {0x00010427, {"pc105", "lt", "", ""}},                      /* Lithuanian */
    {0x00020427, {"pc105", "lt", "std", ""}},                   /* Lithuanian Standard */
    {0x00000428, {"pc105", "tj,us", "", ""}},                   /* Tajik */
    {0x00000429, {"pc105", "ir,us", "", ""}},                   /* Persian */
    {0x00050429, {"pc105", "ir,us", "", ""}},                   /* Persian (Standard) */
    {0x0000042a, {"pc105", "vn", "", ""}},                      /* Vietnamese */
    {0x0000042b, {"pc105", "am,us", "eastern,", ""}},           /* Armenian Eastern */
    {0x0001042b, {"pc105", "am,us", "western,", ""}},           /* Armenian Western */
    {0x0002042b, {"pc105", "am,us", "phonetic,", ""}},          /* Armenian Phonetic */
    {0x0003042b, {"pc105", "am,us", "", ""}},                   /* Armenian Typewriter */
    {0x0000042c, {"pc105", "az", "", ""}},                      /* Azerbaijani (Latin) */
    {0x0000042d, {"pc105", "es", "", ""}},                      /* Basque */
    {0x0000042e, {"pc105", "de", "dsb", ""}},                   /* Sorbian (Legacy) */
    {0x0001042e, {"pc105", "de", "dsb", ""}},                   /* Sorbian Standard */
    {0x0000042f, {"pc105", "mk,us", "", ""}},                   /* Macedonian */
    {0x0001042f, {"pc105", "mk,us", "", ""}},                   /* Macedonian (Standard) */
    {0x00000432, {"pc105", "za", "", ""}},                      /* Setswana */
    {0x00000437, {"pc105", "ge,us", "", ""}},                   /* Georgian */
    {0x00010437, {"pc105", "ge,us", "", ""}},                   /* Georgian (QWERTY) */
    {0x00020437, {"pc105", "ge,us", "ergonomic,", ""}},         /* Georgian (Ergonomic) */
    {0x00000438, {"pc105", "fo", "", ""}},                      /* Faeroese */
    {0x00000439, {"pc105", "in,us", "", ""}},                   /* Hindi Traditional */
    {0x00010439, {"pc105", "in,us", "", ""}},                   /* Devanagari - INSCRIPT */
    {0x0000043a, {"pc105", "mt", "", ""}},                      /* Maltese 47-Key */
    {0x0001043a, {"pc105", "mt", "us", ""}},                    /* Maltese 48-Key */
    {0x0000043b, {"pc105", "no", "smi", ""}},                   /* Norwegian with Sami */
    {0x0000043e, {"pc105", "us", "", ""}},                      /* Malay */
    {0x0000043f, {"pc105", "kz,us", "", ""}},                   /* Kazakh */
    {0x00000440, {"pc105", "kg,us", "", ""}},                   /* Kyrgyz Cyrillic */
    {0x00000442, {"pc105", "tm", "", ""}},                      /* Turkmen */
    {0x00000443, {"pc105", "uz", "latin", ""}},                 /* Uzbek (Latin) */
    {0x00000444, {"pc105", "ru,us", "tt,", ""}},                /* Tatar */
    {0x00000445, {"pc105", "in,us", "ben,", ""}},               /* Bengali */
    {0x00010445, {"pc105", "in,us", "ben,", ""}},               /* Bengali - INSCRIPT */
    {0x00000446, {"pc105", "in,us", "guru,", ""}},              /* Punjabi */
    {0x00000447, {"pc105", "in,us", "guj,", ""}},               /* Gujarati */
    {0x00000448, {"pc105", "in,us", "ori,", ""}},               /* Oriya */
    {0x00000449, {"pc105", "in,us", "tam,", ""}},               /* Tamil */
    {0x0000044a, {"pc105", "in,us", "tel,", ""}},               /* Telugu */
    {0x0000044b, {"pc105", "in,us", "kan,", ""}},               /* Kannada */
    {0x0000044c, {"pc105", "in,us", "mal,", ""}},               /* Malayalam */
    {0x0000044d, {"pc105", "in,us", "ben,", ""}},               /* Assamese - INSCRIPT */
    {0x0000044e, {"pc105", "in,us", "marathi,", ""}},           /* Marathi */
    {0x00000450, {"pc105", "mn,us", "", ""}},                   /* Mongolian Cyrillic */
    {0x00000451, {"pc105", "cn,us", "tib,", ""}},               /* Tibetan */
    {0x00000452, {"pc105", "gb", "extd", ""}},                  /* United Kingdom Extended */
    {0x00000453, {"pc105", "kh,us", "", ""}},                   /* Khmer */
    {0x00000454, {"pc105", "la,us", "", ""}},                   /* Lao */
    {0x00000455, {"pc105", "mm,us", "", ""}},                   /* Myanmar */
    {0x00000456, {"pc105", "es", "", ""}},                      /* Galician */
    {0x0000045a, {"pc105", "sy,us", "syc,", ""}},               /* Syriac */
    {0x0000045b, {"pc105", "lk,us", "", ""}},                   /* Sinhala */
    {0x0000045e, {"pc105", "et,us", "", ""}},                   /* Amharic */
    {0x00000461, {"pc105", "np,us", "", ""}},                   /* Nepali */
    {0x00000463, {"pc105", "af,us", "ps,", ""}},                /* Pashto */
    {0x00000465, {"pc105", "mv,us", "", ""}},                   /* Divehi */
    {0x00000468, {"pc105", "ng", "hausa", ""}},                 /* Hausa */
    {0x0000046a, {"pc105", "ng", "yoruba", ""}},                /* Yoruba */
    {0x0000046d, {"pc105", "ru,us", "bak,", ""}},               /* Bashkir */
    {0x0000046e, {"pc105", "ch", "fr", ""}},                    /* Luxembourgish */
    {0x0000046f, {"pc105", "dk", "", ""}},                      /* Greenlandic */
    {0x00000470, {"pc105", "ng", "igbo", ""}},                  /* Igbo */
    {0x00000475, {"pc105", "us", "haw", ""}},                   /* Hawaiian */
    {0x00000480, {"pc105", "cn,us", "ug,", ""}},                /* Uyghur */
    {0x00000481, {"pc105", "mao", "basic", ""}},       /* Maori; by its full name: newer xkb-data know no other */
    {0x00000485, {"pc105", "ru,us", "sah,", ""}},      /* Sakha */
    {0x00000488, {"pc105", "sn", "", ""}},             /* Wolof */
    {0x00000804, {"pc105", "us", "", ""}},             /* Chinese (Simplified) */
    {0x00000807, {"pc105", "ch", "", ""}},             /* Swiss German */
    {0x00000809, {"pc105", "gb", "", ""}},             /* United Kingdom */
    {0x0000080a, {"pc105", "latam", "", ""}},          /* Latin American */
    {0x0000080c, {"pc105", "be", "", ""}},             /* Belgian French */
    {0x0001080c, {"pc105", "be", "", ""}},             /* Belgian (Comma) */
    {0x00000813, {"pc105", "be", "", ""}},             /* Belgian (Period) */
    {0x00000816, {"pc105", "pt", "", ""}},             /* Portuguese */
    {0x0000081a, {"pc105", "rs", "latin", ""}},        /* Serbian (Latin) */
    {0x0000082c, {"pc105", "az,us", "cyrillic,", ""}}, /* Azerbaijani Cyrillic */
    {0x0000083b, {"pc105", "se", "smi", ""}},          /* Swedish with Sami */
    {0x0001083b, {"pc105", "fi", "smi", ""}},          /* Finnish with Sami */
    {0x0002083b, {"pc105", "se", "smi", ""}},          /* Sami Extended Finland-Sweden */
    {0x00000843, {"pc105", "uz,us", "", ""}},          /* Uzbek Cyrillic */
    {0x00000845, {"pc105", "bd,us", "", ""}},          /* Bangla */
    {0x0000085d, {"pc105", "ca,us", "ike,", ""}},      /* Inuktitut */
    {0x0000085f, {"pc105", "dz", "", ""}},             /* Central Atlas Tamazight */
    {0x00000c07, {"pc105", "at", "", ""}},             /* German (Austria) */
    {0x00000c09, {"pc105", "us", "", ""}},             /* English (Australia) */
    {0x00000c0c, {"pc105", "ca", "fr-legacy", ""}},    /* Canadian French (Legacy) */
    {0x00000c1a, {"pc105", "rs,us", "", ""}},          /* Serbian (Cyrillic) */
    {0x00001009, {"pc105", "ca", "fr", ""}},           /* Canadian French */
    {0x00011009, {"pc105", "ca", "multix", ""}},       /* Canadian Multilingual Standard */
    {0x0000100c, {"pc105", "ch", "fr", ""}},           /* Swiss French */
    {0x0000101a, {"pc105", "hr", "", ""}},             /* Croatian (Bosnia) */
    {0x0000105f, {"pc105", "ma,us", "tifinagh,", ""}}, /* Tifinagh (Basic) */
    {0x00001409, {"pc105", "us", "", ""}},             /* English (New Zealand) */
    {0x0000141a, {"pc105", "ba", "", ""}},             /* Bosnian (Latin) */
    {0x00001809, {"pc105", "ie", "", ""}},             /* Irish */
    {0x00011809, {"pc105", "gb", "gla", ""}},          /* Scottish Gaelic */
    {0x0000201a, {"pc105", "rs,us", "", ""}},          /* Bosnian (Cyrillic) */
    {0x00004009, {"pc105", "in", "eng", ""}},          /* English (India) */
};
const size_t layouts_count = sizeof layouts_table / sizeof layouts_table[0];

static const struct layout_entry *exactly(uint32_t klid)
{
    for (size_t i = 0; i < layouts_count; i++)
        if (layouts_table[i].klid == klid)
            return &layouts_table[i];
    return NULL;
}

static const struct layout_entry *find(uint32_t klid)
{
    const struct layout_entry *e = exactly(klid);
    if (!e)
        e = exactly(klid & 0xffff);
    if (!e)
        e = exactly((klid & PRIMARY_LANGUAGE) | SUBLANGUAGE_DEFAULT);
    return e ? e : exactly(0x409);
}

void layouts_find(uint32_t klid, uint32_t type, uint32_t subtype, struct backend_keymap *out)
{
    *out = find(klid)->keymap;
    if (type == KEYBOARD_TYPE_JAPANESE)
        out->model = "jp106";
    else if (type == KEYBOARD_TYPE_KOREAN)
        out->model = "kr106";
}
