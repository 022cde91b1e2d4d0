/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/keyboard/layouts.h"

#include <string.h>

/* Sorted by language, the language's own default first: a KLID that is not listed takes the first with its language id. */
const struct keyboard_layout keyboard_layouts[] = {
    {0x00000401, "ara", "", 0, "Arabic (101)"},
    {0x00010401, "ara", "", 0, "Arabic (102)"},
    {0x00020401, "ara", "azerty", 0, "Arabic (102) AZERTY"},
    {0x00000402, "bg", "", 0, "Bulgarian (Typewriter)"},
    {0x00010402, "us", "", 1, "Bulgarian (Latin)"},
    {0x00020402, "bg", "phonetic", 0, "Bulgarian (Phonetic)"},
    {0x00030402, "bg", "", 0, "Bulgarian"},
    {0x00040402, "bg", "phonetic", 0, "Bulgarian (Phonetic Traditional)"},
    {0x00000403, "es", "cat", 1, "Catalan"},
    {0x00000404, "us", "", 1, "Chinese (Traditional)"},
    {0x00000405, "cz", "", 1, "Czech"},
    {0x00010405, "cz", "qwerty", 1, "Czech (QWERTY)"},
    {0x00020405, "cz", "ucw", 1, "Czech Programmers"},
    {0x00000406, "dk", "winkeys", 1, "Danish"},
    {0x00000407, "de", "", 1, "German"},
    {0x00010407, "de", "nodeadkeys", 1, "German (IBM)"},
    {0xb0000407, "de", "neo", 1, "German (Neo)"},
    {0x00000408, "gr", "", 0, "Greek"},
    {0x00010408, "gr", "", 0, "Greek (220)"},
    {0x00020408, "gr", "", 0, "Greek (319)"},
    {0x00030408, "us", "", 1, "Greek (220) Latin"},
    {0x00040408, "us", "", 1, "Greek (319) Latin"},
    {0x00050408, "us", "", 1, "Greek Latin"},
    {0x00060408, "gr", "polytonic", 0, "Greek Polytonic"},
    {0x00000409, "us", "", 1, "English (US)"},
    {0x00010409, "us", "dvorak", 1, "English (US Dvorak)"},
    {0x00020409, "us", "intl", 1, "English (US International)"},
    {0x00030409, "us", "dvorak-l", 1, "English (US Dvorak, left hand)"},
    {0x00040409, "us", "dvorak-r", 1, "English (US Dvorak, right hand)"},
    {0x00050409, "us", "", 1, "English (US, IBM Arabic)"},
    {0x19360409, "us", "dvp", 1, "English (US Dvorak, programmer)"},
    {0x00060409, "us", "colemak", 1, "English (US Colemak)"},
    {0x0000040a, "es", "winkeys", 1, "Spanish"},
    {0x0001040a, "es", "winkeys", 1, "Spanish (Variation)"},
    {0x0000040b, "fi", "winkeys", 1, "Finnish"},
    {0x0000040c, "fr", "", 1, "French"},
    {0x0001040c, "fr", "", 1, "French (Standard, AZERTY)"},
    {0x0002040c, "fr", "bepo_afnor", 1, "French (Standard, BEPO)"},
    {0xa000040c, "fr", "bepo", 1, "French (BEPO)"},
    {0x0000040d, "il", "", 0, "Hebrew"},
    {0x0002040d, "il", "", 0, "Hebrew (Standard)"},
    {0x0000040e, "hu", "", 1, "Hungarian"},
    {0x0001040e, "hu", "101_qwerty_comma_dead", 1, "Hungarian (101 keys)"},
    {0x0000040f, "is", "", 1, "Icelandic"},
    {0x00000410, "it", "winkeys", 1, "Italian"},
    {0x00010410, "it", "ibm", 1, "Italian (142)"},
    {0x00000411, "jp", "", 1, "Japanese"},
    {0x00000412, "kr", "", 1, "Korean"},
    {0x00000413, "nl", "", 1, "Dutch"},
    {0x00000414, "no", "winkeys", 1, "Norwegian"},
    {0x00000415, "pl", "", 1, "Polish (Programmers)"},
    {0x00010415, "pl", "qwertz", 1, "Polish (214)"},
    {0x00000416, "br", "", 1, "Portuguese (Brazil, ABNT)"},
    {0x00010416, "br", "", 1, "Portuguese (Brazil, ABNT2)"},
    {0x00000418, "ro", "winkeys", 1, "Romanian (Legacy)"},
    {0x00010418, "ro", "std", 1, "Romanian (Standard)"},
    {0x00020418, "ro", "", 1, "Romanian (Programmers)"},
    {0x00000419, "ru", "", 0, "Russian"},
    {0x00010419, "ru", "typewriter", 0, "Russian (Typewriter)"},
    {0x00020419, "ru", "phonetic_winkeys", 0, "Russian (Mnemonic)"},
    {0x0000041a, "hr", "", 1, "Croatian"},
    {0x0000041b, "sk", "", 1, "Slovak"},
    {0x0001041b, "sk", "qwerty", 1, "Slovak (QWERTY)"},
    {0x0000041c, "al", "", 1, "Albanian"},
    {0x0000041d, "se", "", 1, "Swedish"},
    {0x0000041e, "th", "", 0, "Thai (Kedmanee)"},
    {0x0001041e, "th", "pat", 0, "Thai (Pattachote)"},
    {0x0002041e, "th", "", 0, "Thai (Kedmanee, no shift lock)"},
    {0x0003041e, "th", "pat", 0, "Thai (Pattachote, no shift lock)"},
    {0x0000041f, "tr", "", 1, "Turkish (Q)"},
    {0x0001041f, "tr", "f", 1, "Turkish (F)"},
    {0x00000420, "pk", "", 0, "Urdu"},
    {0x00000422, "ua", "winkeys", 0, "Ukrainian"},
    {0x00020422, "ua", "winkeys", 0, "Ukrainian (Enhanced)"},
    {0x00000423, "by", "", 0, "Belarusian"},
    {0x00000424, "si", "", 1, "Slovenian"},
    {0x00000425, "ee", "", 1, "Estonian"},
    {0x00000426, "lv", "", 1, "Latvian"},
    {0x00010426, "lv", "", 1, "Latvian (QWERTY)"},
    {0x00020426, "lv", "apostrophe", 1, "Latvian (Standard)"},
    {0x00000427, "lt", "ibm", 1, "Lithuanian (IBM)"},
    {0x00010427, "lt", "", 1, "Lithuanian"},
    {0x00020427, "lt", "std", 1, "Lithuanian (Standard)"},
    {0x00000428, "tj", "", 0, "Tajik"},
    {0x00000429, "ir", "", 0, "Persian"},
    {0x00050429, "ir", "", 0, "Persian (Standard)"},
    {0x0000042a, "vn", "", 1, "Vietnamese"},
    {0x0000042b, "am", "eastern", 0, "Armenian (Eastern)"},
    {0x0001042b, "am", "western", 0, "Armenian (Western)"},
    {0x0002042b, "am", "phonetic", 0, "Armenian (Phonetic)"},
    {0x0000042c, "az", "", 1, "Azerbaijani (Latin)"},
    {0x0000042f, "mk", "", 0, "Macedonian"},
    {0x0001042f, "mk", "", 0, "Macedonian (Standard)"},
    {0x00000437, "ge", "", 0, "Georgian"},
    {0x00010437, "ge", "", 0, "Georgian (QWERTY)"},
    {0x00020437, "ge", "ergonomic", 0, "Georgian (Ergonomic)"},
    {0x00000438, "fo", "", 1, "Faroese"},
    {0x00000439, "in", "", 0, "Hindi (Devanagari INSCRIPT)"},
    {0x00010439, "in", "", 0, "Hindi (Traditional)"},
    {0x0000043a, "mt", "", 1, "Maltese (47 keys)"},
    {0x0001043a, "mt", "us", 1, "Maltese (48 keys)"},
    {0x0000043b, "no", "smi", 1, "Norwegian with Sami"},
    {0x0001043b, "no", "smi", 1, "Sami Extended (Norway)"},
    {0x0000043f, "kz", "", 0, "Kazakh"},
    {0x00000440, "kg", "", 0, "Kyrgyz"},
    {0x00000442, "tm", "", 1, "Turkmen"},
    {0x00000444, "ru", "tt", 0, "Tatar"},
    {0x00000445, "bd", "", 0, "Bangla"},
    {0x00010445, "in", "ben_inscript", 0, "Bangla (INSCRIPT)"},
    {0x00020445, "bd", "", 0, "Bangla"},
    {0x00000446, "in", "guru", 0, "Punjabi"},
    {0x00000447, "in", "guj", 0, "Gujarati"},
    {0x00000448, "in", "ori", 0, "Odia"},
    {0x00000449, "in", "tam", 0, "Tamil"},
    {0x0000044a, "in", "tel", 0, "Telugu"},
    {0x0000044b, "in", "kan", 0, "Kannada"},
    {0x0000044c, "in", "mal", 0, "Malayalam"},
    {0x0000044e, "in", "marathi", 0, "Marathi"},
    {0x00000450, "mn", "", 0, "Mongolian (Cyrillic)"},
    {0x00000452, "gb", "extd", 1, "English (UK Extended)"},
    {0x00000453, "kh", "", 0, "Khmer"},
    {0x00000454, "la", "", 0, "Lao"},
    {0x0000045a, "sy", "", 0, "Syriac"},
    {0x0001045a, "sy", "syc_phonetic", 0, "Syriac (Phonetic)"},
    {0x0000045b, "lk", "", 0, "Sinhala"},
    {0x0000045e, "et", "", 0, "Amharic"},
    {0x00000461, "np", "", 0, "Nepali"},
    {0x00000463, "af", "ps", 0, "Pashto"},
    {0x00000465, "mv", "", 0, "Divehi (Phonetic)"},
    {0x00000468, "ng", "hausa", 1, "Hausa"},
    {0x0000046a, "ng", "yoruba", 1, "Yoruba"},
    {0x0000046e, "fr", "", 1, "Luxembourgish"},
    {0x00000470, "ng", "igbo", 1, "Igbo"},
    {0x00000480, "cn", "ug", 0, "Uyghur"},
    {0x00000481, "mao", "", 1, "Maori"},
    {0x00000804, "us", "", 1, "Chinese (Simplified)"},
    {0x00000807, "ch", "", 1, "German (Switzerland)"},
    {0x00000809, "gb", "", 1, "English (UK)"},
    {0x0000080a, "latam", "", 1, "Spanish (Latin America)"},
    {0x0000080c, "be", "", 1, "French (Belgium)"},
    {0x0001080c, "be", "", 1, "Belgian (Comma)"},
    {0x00000813, "be", "", 1, "Dutch (Belgium, Period)"},
    {0x00000816, "pt", "", 1, "Portuguese"},
    {0x0000081a, "rs", "latin", 1, "Serbian (Latin)"},
    {0x0000082c, "az", "cyrillic", 0, "Azerbaijani (Cyrillic)"},
    {0x0000083b, "se", "smi", 1, "Swedish with Sami"},
    {0x0001083b, "fi", "smi", 1, "Finnish with Sami"},
    {0x0002083b, "fi", "smi", 1, "Sami Extended (Finland, Sweden)"},
    {0x00000843, "uz", "", 0, "Uzbek (Cyrillic)"},
    {0x0000085d, "ca", "ike", 0, "Inuktitut"},
    {0x00000c04, "us", "", 1, "Chinese (Hong Kong)"},
    {0x00000c07, "at", "", 1, "German (Austria)"},
    {0x00000c09, "au", "", 1, "English (Australia)"},
    {0x00000c0c, "ca", "fr-legacy", 1, "French (Canada, Legacy)"},
    {0x00000c1a, "rs", "", 0, "Serbian (Cyrillic)"},
    {0x00001009, "ca", "", 1, "French (Canada)"},
    {0x00011009, "ca", "multix", 1, "Canadian Multilingual Standard"},
    {0x0000100c, "ch", "fr", 1, "French (Switzerland)"},
    {0x0000141a, "ba", "", 1, "Bosnian"},
    {0x00001809, "ie", "", 1, "Irish"},
    {0x00011809, "gb", "gla", 1, "Scottish Gaelic"},
    {0x0000201a, "rs", "", 0, "Bosnian (Cyrillic)"},
};
const size_t keyboard_nlayouts = sizeof keyboard_layouts / sizeof keyboard_layouts[0];

static const struct keyboard_layout *find_masked(uint32_t klid, uint32_t mask)
{
    for (size_t i = 0; i < keyboard_nlayouts; i++)
        if ((keyboard_layouts[i].klid & mask) == (klid & mask))
            return &keyboard_layouts[i];
    return NULL;
}

#define KLID_US 0x00000409u
#define MASK_LANGUAGE 0xffffu
#define MASK_PRIMARY 0x3ffu /* the low ten bits of a language id, MS-LCID 2.1 */

const struct keyboard_layout *keyboard_layout_find(uint32_t klid)
{
    const struct keyboard_layout *l = find_masked(klid, UINT32_MAX);
    if (!l)
        l = find_masked(klid, MASK_LANGUAGE);
    if (!l && (klid & MASK_PRIMARY) != (KLID_US & MASK_PRIMARY))
        l = find_masked(klid, MASK_PRIMARY);
    return l ? l : find_masked(KLID_US, UINT32_MAX);
}

#define TYPE_KOREAN 8u   /* MS-RDPBCGR 2.2.1.3.2: 7 is the Japanese keyboard; Windows' own headers add 8 for Korean */
#define TYPE_JAPANESE 7u

const char *keyboard_model(const struct keyboard_layout *l, uint32_t type, uint32_t subtype)
{
    (void)subtype;
    if (type == TYPE_JAPANESE || !strcmp(l->layout, "jp"))
        return "jp106";
    if (type == TYPE_KOREAN || !strcmp(l->layout, "kr"))
        return "kr106";
    if (!strcmp(l->layout, "br"))
        return "abnt2";
    return "pc105";
}
