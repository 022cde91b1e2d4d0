# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stories are told with: a service, users, clients, their screens, a network that can be cut."""
