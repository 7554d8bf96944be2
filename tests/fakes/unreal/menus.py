"""`ToolMenus`: menus that plugins extend, and what stands in them. A click runs an entry as the editor would.

An entry is seen where its menu is: below a menu that the editor shows itself, through `add_sub_menu`. Menus that the
editor builds when they are first opened (those of the content browser) can be extended before, but not found: for
them `find_menu` gives None until somebody has extended them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known

SHOWN = ("LevelEditor.MainMenu", "LevelEditor.LevelEditorToolBar.PlayToolBar", "LevelEditor.LevelEditorToolBar.User")
PULL_DOWN = ("File", "Edit", "Window", "Tools", "Build", "Select", "Actor", "Help")


@dataclass(eq=False)
class Section:
    """Entries by name in lower case: a second entry of the same name takes the first one's place."""

    name: str
    label: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(eq=False)
class Entry:
    """`script` is a ToolMenuEntryScript, `command` what a ToolMenuEntry runs as Python, `submenu` a menu's name."""

    menu: str
    section: str
    name: str
    owner: str
    label: str = ""
    tool_tip: str = ""
    script: Any = None
    command: str | None = None
    submenu: str = ""
    button: bool = True
    """Whether it is of a type that shows; MultiBlockType.NONE isn't."""


@faked
class ToolMenuEntry(known("StructBase")):  # type: ignore[misc]
    def set_label(self, label: Any) -> None:
        self._values["_label"] = str(label)

    def get_label(self) -> str:
        return str(self._values.get("_label", ""))

    def set_tool_tip(self, tool_tip: Any) -> None:
        self._values["_tool_tip"] = str(tool_tip)

    def get_tool_tip(self) -> str:
        return str(self._values.get("_tool_tip", ""))

    def set_icon(self, style_set_name: Any, style_name: Any, small_style_name: Any) -> None:
        self._values["_icon"] = (str(style_set_name), str(style_name), str(small_style_name))

    def set_string_command(self, type: Any, custom_type: Any, string: str) -> None:
        self._values["_command"] = (type.name, string)


@faked
class ToolMenuOwner(known("StructBase")):  # type: ignore[misc]
    """Its name can be given and not read."""


@faked
class ToolMenuContext(known("StructBase")):  # type: ignore[misc]
    """What the menu was opened on."""

    def find_by_class(self, class_: Any) -> Any:
        wanted = class_._python
        return next((thing for thing in self._values.get("_objects", ()) if isinstance(thing, wanted)), None)


@faked
class ToolMenuEntryScript(known("Object")):  # type: ignore[misc]
    """The class whose methods a Python uclass overrides with `@unreal.ufunction(override=True)`."""

    def init_entry(self, owner_name: Any, menu: Any, section: Any, name: Any, label: Any, tool_tip: Any) -> None:
        data = self.get_editor_property("data")
        values = {"owner_name": owner_name, "menu": menu, "section": section, "name": name, "label": label}
        for key, value in {**values, "tool_tip": tool_tip}.items():
            data.set_editor_property(key, value)
        self.set_editor_property("data", data)

    def register_menu_entry(self) -> None:
        known("ToolMenus").add_menu_entry_object(self)

    def unregister_menu_entry(self) -> None:
        known("ToolMenus").remove_menu_entry_object(self)

    def can_execute(self, context: Any) -> bool:
        return True

    def is_visible(self, context: Any) -> bool:
        return True

    def show_in_toolbar_top_level(self, context: Any) -> bool:
        return False

    def execute(self, context: Any) -> None:
        return None

    def construct_menu_entry(self, menu: Any, section_name: Any, context: Any) -> None:
        return None

    def get_label(self, context: Any) -> Any:
        return self.get_editor_property("data").label

    def get_tool_tip(self, context: Any) -> Any:
        return self.get_editor_property("data").tool_tip

    def get_icon(self, context: Any) -> Any:
        return self.get_editor_property("data").icon

    def get_check_state(self, context: Any) -> Any:
        return known("CheckBoxState").UNDETERMINED


@faked
class ToolMenu(known("ToolMenuBase")):  # type: ignore[misc]
    def _sections(self) -> dict[str, Section]:
        return self.__dict__.setdefault("_own_sections", {})  # type: ignore[no-any-return]

    def _section(self, name: Any) -> Section:
        return self._sections().setdefault(str(name).lower(), Section(str(name)))

    def _add(self, entry: Entry) -> None:
        self._section(entry.section).entries[entry.name.lower()] = entry

    def add_section(self, section_name: Any, label: Any, insert_name: Any, insert_type: Any, alignment: Any) -> None:
        section = self._section(section_name)
        section.label = str(label) or section.label

    def add_sub_menu(self, owner: Any, section_name: Any, name: Any, label: Any, tool_tip: Any) -> Any:
        menu = str(self.menu_name)
        self._add(
            Entry(menu, str(section_name), str(name), str(owner), str(label), str(tool_tip), submenu=f"{menu}.{name}")
        )
        return known("ToolMenus").get().extend_menu(f"{menu}.{name}")

    def add_menu_entry(self, section_name: Any, args: Any) -> None:
        values = args._values
        kind, command = values.get("_command", ("", None))
        if kind == "COMMAND":
            editor().log_file.write("warning", "the fake runs no console commands of menu entries")
        owner = args.owner._values.get("name", "None")
        shows = args.type is known("MultiBlockType").MENU_ENTRY or args.type is known("MultiBlockType").TOOL_BAR_BUTTON
        self._add(
            Entry(
                str(self.menu_name),
                str(section_name),
                str(args.name),
                str(owner),
                args.get_label() and str(args.get_label()),
                str(args.get_tool_tip()),
                command=command if kind == "PYTHON" else None,
                script=args.script_object,
                button=shows,
            )
        )

    def add_menu_entry_object(self, object: Any) -> None:
        if object is None:
            return
        data = object.get_editor_property("data")
        self._add(Entry(str(self.menu_name), str(data.section), str(data.name), str(data.owner_name), script=object))

    def remove_menu_entry_object(self, object: Any) -> None:
        for section in self._sections().values():
            section.entries = {name: entry for name, entry in section.entries.items() if entry.script is not object}


@faked
class ToolMenus(known("Object")):  # type: ignore[misc]
    """One of it, with all menus."""

    @classmethod
    def get(cls) -> Any:
        desk = editor().desk
        if desk.tool_menus is None:
            desk.tool_menus = cls()
            desk.tool_menus.__dict__["_menus"] = {}
            if desk.slate:
                names = [*SHOWN, *(f"{SHOWN[0]}.{name}" for name in PULL_DOWN)]
                desk.built_in_menus = names
                for name in names:
                    kind = "MENU_BAR" if name == SHOWN[0] else "TOOL_BAR" if "ToolBar" in name else "MENU"
                    desk.tool_menus.register_menu(name, type=getattr(known("MultiBoxType"), kind))
        return desk.tool_menus

    @classmethod
    def add_menu_entry_object(cls, menu_entry_object: Any) -> bool:
        if menu_entry_object is None:
            return False
        data = menu_entry_object.get_editor_property("data")
        cls.get().extend_menu(data.menu).add_menu_entry_object(menu_entry_object)
        return True

    @classmethod
    def remove_menu_entry_object(cls, menu_entry_object: Any) -> bool:
        if menu_entry_object is None:
            return False
        menu = cls.get().find_menu(menu_entry_object.get_editor_property("data").menu)
        if menu is not None:
            menu.remove_menu_entry_object(menu_entry_object)
        return True

    @classmethod
    def find_context(cls, context: Any, class_: Any) -> Any:
        return context.find_by_class(class_)

    def extend_menu(self, name: Any) -> Any:
        menus = self.__dict__["_menus"]
        key = str(name).lower()
        if key not in menus:
            menus[key] = known("ToolMenu")()
            menus[key].menu_name = name
            menus[key].menu_type = known("MultiBoxType").MENU
        return menus[key]

    def register_menu(self, name: Any, parent: Any, type: Any, warn_if_already_registered: bool) -> Any:
        menu = self.extend_menu(name)
        if menu.__dict__.get("_registered") and warn_if_already_registered:
            editor().log_file.write("warning", f"Menu already registered : {name}")
        menu.__dict__["_registered"] = True
        menu.menu_parent, menu.menu_type = parent, type
        return menu

    def find_menu(self, name: Any) -> Any:
        return self.__dict__["_menus"].get(str(name).lower())

    def is_menu_registered(self, name: Any) -> bool:
        menu = self.find_menu(name)
        return menu is not None and bool(menu.__dict__.get("_registered"))

    def remove_menu(self, menu_name: Any) -> None:
        self.__dict__["_menus"].pop(str(menu_name).lower(), None)

    def remove_entry(self, menu_name: Any, section: Any, name: Any) -> None:
        menu = self.find_menu(menu_name)
        found = menu._sections().get(str(section).lower()) if menu is not None else None
        if found is not None:
            found.entries.pop(str(name).lower(), None)

    def remove_section(self, menu_name: Any, section: Any) -> None:
        menu = self.find_menu(menu_name)
        if menu is not None:
            menu._sections().pop(str(section).lower(), None)

    def set_section_label(self, menu_name: Any, section_name: Any, label: Any) -> None:
        self.extend_menu(menu_name)._section(section_name).label = str(label)

    def unregister_owner_by_name(self, owner_name: Any) -> None:
        for menu in self.__dict__["_menus"].values():
            for section in menu._sections().values():
                section.entries = {
                    name: entry
                    for name, entry in section.entries.items()
                    if entry.owner.lower() != str(owner_name).lower()
                }

    def refresh_all_widgets(self) -> None:
        editor().desk.refreshed += 1

    def refresh_menu_widget(self, name: Any) -> bool:
        editor().desk.refreshed += 1
        return self.find_menu(name) is not None


@faked
class ContentBrowserAssetContextMenuContext(known("Object")):  # type: ignore[misc]
    """What is selected, for the entries of the content browser's menus."""

    def get_selected_objects(self) -> list[Any]:
        """Of the selected assets those that are loaded."""
        return [data.get_asset() for data in self.selected_assets if data.is_asset_loaded()]

    def load_selected_objects(self, load_tags: Any) -> list[Any]:
        return [data.get_asset() for data in self.selected_assets]

    def load_selected_objects_if_needed(self) -> list[Any]:
        return [data.get_asset() for data in self.selected_assets]


def asset_context(assets: list[Any]) -> Any:
    """The context of a menu on these assets."""
    made = known("ContentBrowserAssetContextMenuContext")()
    data = [known("EditorAssetLibrary").find_asset_data(asset.get_path_name()) for asset in assets]
    made._values["selected_assets"] = known("Array").of(["AssetData"], data)
    return made
