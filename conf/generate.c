/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the example oriel.conf ("conf") or its man page ("man") from the option table. Runs while building. */
#include "common/config.h"

#include <stdio.h>
#include <string.h>

static bool new_section(size_t i)
{
    return i == 0 || strcmp(config_options[i].section, config_options[i - 1].section) != 0;
}

/* Break at blanks before column 100. */
static void comment(const char *text)
{
    size_t column = 1;
    putchar('#');
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column + 1 + n > 100) {
            printf("\n#");
            column = 1;
        }
        printf(" %.*s", (int)n, text);
        column += n + 1;
        text += n + strspn(text + n, " ");
    }
    putchar('\n');
}

static void write_conf(void)
{
    char want[256], line[CONFIG_STRING_MAX];
    puts("# Oriel's configuration. Every option stands here with its default. Put what you change into a file of your "
         "own,\n"
         "# conf.d/NAME.conf beside this one: those are read after this one, sorted by name, and an upgrade leaves "
         "them alone.\n"
         "# \"oriel --check-config\" says what is wrong with this file, \"systemctl reload 'oriel-*.service'\" or "
         "SIGHUP to oriel makes\n"
         "# the daemons read it again. Lines are at most 2048 bytes; a comment has a line of its own. See "
         "oriel.conf(5).");
    for (size_t i = 0; i < config_noptions; i++) {
        const struct option_info *o = &config_options[i];
        if (new_section(i))
            printf("\n[%s]\n", o->section);
        config_option_expects(o, want, sizeof want);
        snprintf(line, sizeof line, "%s Takes %s.%s", o->text, want, o->reload ? "" : " A change needs a restart.");
        printf("\n");
        comment(line);
        printf("#%s =%s%s\n", o->name, o->def[0] ? " " : "", o->def);
    }
}

/* Text for troff: no line may begin with a dot or quote, backslashes and hyphens are escaped. */
static void roff(const char *s)
{
    for (; *s; s++) {
        if (*s == '\\')
            fputs("\\e", stdout);
        else if (*s == '-')
            fputs("\\-", stdout);
        else
            putchar(*s);
    }
}

static void write_man(void)
{
    char want[256];
    puts(".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n"
         ".\\\" Made from common/options.def.\n"
         ".TH ORIEL.CONF 5 \"\" \"Oriel " ORIEL_VERSION "\" \"Oriel\"\n"
         ".SH NAME\noriel.conf \\- configuration of Oriel, terminal services for Linux\n"
         ".SH DESCRIPTION\n"
         "The file has sections in brackets and options as\n.IR name \" = \" value ,\none a line. A line that begins "
         "with # or ;\n"
         "is a comment; a # inside a value belongs to it. Values are not quoted, but for names of groups with blanks.\n"
         "Lines are at most 2048 bytes. Unknown options,\n"
         "options said twice in a file and values out of range are errors:\n.B oriel \\-\\-check\\-config\nnames the "
         "line and what would be right.\n"
         ".PP\nAfter the file come those in the folder\n.I conf.d\nbeside it whose names end in .conf and do not begin "
         "with a dot, sorted by the\n"
         "bytes of their names. The last file that says something of an option counts. At most 64 files of 256 KiB are "
         "read. They\n"
         "must belong to root or to the owner of the first file, everybody must be able to read them, and nobody else "
         "to write them.\n"
         ".PP\nOn SIGHUP the daemons read the files again. When one is broken they keep what they have and log why. "
         "Options marked\n"
         ".I restart\ntake effect at the next start only.\n.SH OPTIONS");
    for (size_t i = 0; i < config_noptions; i++) {
        const struct option_info *o = &config_options[i];
        if (new_section(i))
            printf(".SS [%s]\n", o->section);
        config_option_expects(o, want, sizeof want);
        printf(".TP\n.B %s\n", o->name);
        roff(o->text);
        printf("\n.br\nTakes ");
        roff(want);
        if (o->def[0]) {
            printf("; default\n.BR \"");
            roff(o->def);
            printf("\"%s", o->reload ? " .\n" : " .\n.RI ( restart )\n");
        } else {
            printf("; empty by default.\n%s", o->reload ? "" : ".RI ( restart )\n");
        }
    }
    puts(".SH FILES\n.TP\n.I /etc/oriel/oriel.conf\nread when no \\-\\-config is given and the file exists.\n"
         ".TP\n.I /etc/oriel/conf.d/*.conf\nwhat the administrator changed; no package and no upgrade writes there.\n"
         ".TP\n.I /etc/pam.d/oriel\nthe PAM service.\n.SH SEE ALSO\n.BR orielctl (8)");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "conf") == 0)
        write_conf();
    else if (argc == 2 && strcmp(argv[1], "man") == 0)
        write_man();
    else
        return 2;
    return ferror(stdout) ? 1 : 0;
}
