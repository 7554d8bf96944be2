"""What an animator sees of the plugin: menus, dialogs, the queue that goes on while the editor stays usable.

`startup` builds it, `session` is the one place with state, `entries` names what stands in which menu and `actions`
says what they do. All of it runs on the game thread, and nothing here opens a window inside a tick.
"""
