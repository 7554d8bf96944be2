"""`EditorDialog`: questions to the user, and an object's properties to be edited. Unattended nobody is asked."""

from __future__ import annotations

from typing import Any

from unreal_process import editor

from unreal.checking import faked, known

BUTTONS = {
    "OK": ("OK",),
    "YES_NO": ("YES", "NO"),
    "OK_CANCEL": ("OK", "CANCEL"),
    "YES_NO_CANCEL": ("YES", "NO", "CANCEL"),
    "CANCEL_RETRY_CONTINUE": ("CANCEL", "RETRY", "CONTINUE"),
    "YES_NO_YES_ALL_NO_ALL": ("YES", "NO", "YES_ALL", "NO_ALL"),
    "YES_NO_YES_ALL_NO_ALL_CANCEL": ("YES", "NO", "YES_ALL", "NO_ALL", "CANCEL"),
    "YES_NO_YES_ALL": ("YES", "NO", "YES_ALL"),
}


@faked
class EditorDialog(known("BlueprintFunctionLibrary")):  # type: ignore[misc]
    """What the user answers, tests say before with `FakeEditor.answer`."""

    @classmethod
    def show_message(
        cls, title: Any, message: Any, message_type: Any, default_value: Any, message_category: Any
    ) -> Any:
        desk = editor().desk
        if not desk.attended:
            editor().log_file.write("display", f"{title}: {message} (unattended: {default_value.name})")
            return default_value
        pressed = desk.dialog(str(title), str(message), BUTTONS[message_type.name])
        return getattr(known("AppReturnType"), pressed)

    @classmethod
    def show_object_details_view(cls, title: Any, out_object: Any, options: Any) -> bool:
        return cls.show_objects_details_view(title, [out_object], options)  # type: ignore[no-any-return]

    @classmethod
    def show_objects_details_view(cls, title: Any, out_objects: Any, options: Any) -> bool:
        """Edits go into the objects at once: Cancel takes nothing back."""
        desk = editor().desk
        shown = [thing for thing in out_objects if thing is not None]
        if not desk.attended or not shown:
            return False
        return desk.dialog(str(title), "", ("OK", "CANCEL"), shown[0]) == "OK"
