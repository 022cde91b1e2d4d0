# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows and their manager on any display; the bench uses this, too."""
from Xlib import X, error as xerror

# openbox says that it manages a screen long before it does. What is mapped meanwhile may lie in its queue of events until another one comes
# (libobt waits for the connection, not for its queue), so the window is never seen. Its start-up command comes after all that.
READY = "ORIEL_MANAGED"
OPENBOX = ["openbox", "--startup", "xprop -root -f %s 8s -set %s yes" % (READY, READY)]
MANAGED = "openbox --startup '%s' &\nuntil xprop -root %s | grep -q yes; do sleep 0.02; done\n" % (OPENBOX[2], READY)


def is_managed(dpy):
    """Is OPENBOX, started on this display, up to handling windows?"""
    return dpy.screen().root.get_full_property(dpy.intern_atom(READY), X.AnyPropertyType) is not None


def find_window(dpy, title):
    """The viewable window with these words in its title, or None."""
    unseen = [dpy.screen().root]
    while unseen:
        w = unseen.pop()
        try:
            unseen += w.query_tree().children
            name = w.get_full_text_property(dpy.intern_atom("_NET_WM_NAME")) or w.get_wm_name() or ""
            if title in str(name) and w.get_attributes().map_state == X.IsViewable:
                return w
        except xerror.XError:
            pass
    return None
