"""The plugin's entries in Unreal's menus: which there are, where they stand, and when they can be clicked.

An entry is an object of a Python class that Unreal asks for its label and runs on a click. Unreal keeps such objects by
their class alone, so whoever builds them must hold them. What a click does stands in `actions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from semanticface_unreal.editor.notices import TITLE
from semanticface_unreal.editor.session import Session
from semanticface_unreal.engine import unreal

OWNER = "SemanticFace"
"""By this name everything is taken away again."""


@dataclass(frozen=True, slots=True)
class Item:
    """`label` may be made anew each time the menu opens; `ready` says whether it can be clicked."""

    name: str
    label: str | Callable[[Session], str]
    tip: str
    action: Callable[[Session], object]
    ready: Callable[[Session], bool] = lambda session: True


Section = tuple[str, str, Sequence[Item]]
"""Name, label, entries."""


@unreal.uclass()
class SemanticFaceMenuEntry(unreal.ToolMenuEntryScript):
    """One entry; `bind` tells it what it stands for. A click never raises into the editor."""

    def bind(self, item: Item, session: Session) -> None:
        self.item, self.session = item, session

    @unreal.ufunction(override=True)
    def get_label(self, context: unreal.ToolMenuContext) -> unreal.Text:
        label = self.item.label
        return unreal.Text(label if isinstance(label, str) else label(self.session))

    @unreal.ufunction(override=True)
    def can_execute(self, context: unreal.ToolMenuContext) -> bool:
        return self.item.ready(self.session)

    @unreal.ufunction(override=True)
    def execute(self, context: unreal.ToolMenuContext) -> None:
        label = self.item.label
        title = label if isinstance(label, str) else self.item.name
        self.session.notices.guard(title.rstrip("."), lambda: self.item.action(self.session))


def add_menu(
    parent: str, label: str, tip: str, sections: Sequence[tuple[str, str, Sequence[Item]]], session: Session
) -> list[SemanticFaceMenuEntry]:
    """A menu of its own below `parent`, with its sections; gives the entries to be held."""
    menu = unreal.ToolMenus.get().extend_menu(parent).add_sub_menu(OWNER, "", OWNER, label, tip)
    entries = []
    for name, shown, items in sections:
        menu.add_section(name, shown)
        entries += [_add(menu, f"{parent}.{OWNER}", name, item, session) for item in items]
    return entries


def extend_menu(name: str, section: str, items: Sequence[Item], session: Session) -> list[SemanticFaceMenuEntry]:
    """Entries in a section of their own in one of Unreal's menus; gives them to be held."""
    menu = unreal.ToolMenus.get().extend_menu(name)
    menu.add_section(section, TITLE)
    return [_add(menu, name, section, item, session) for item in items]


def remove_all() -> None:
    """Take away every entry and menu of the plugin."""
    menus = unreal.ToolMenus.get()
    menus.unregister_owner_by_name(OWNER)
    menus.refresh_all_widgets()


def _add(menu: unreal.ToolMenu, name: str, section: str, item: Item, session: Session) -> SemanticFaceMenuEntry:
    entry = SemanticFaceMenuEntry()
    entry.bind(item, session)
    label = item.label if isinstance(item.label, str) else item.name
    entry.init_entry(OWNER, name, section, item.name, label, item.tip)
    menu.add_menu_entry_object(entry)
    return entry
