"""Sections, tracks and bindings of a Level Sequence: what they hold and how it goes into its file.

Times are whole ticks inside and whole display frames outside, as in Sequencer.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known
from unreal.project import decode, encode

SECTIONS = {
    "MovieSceneSkeletalAnimationTrack": "MovieSceneSkeletalAnimationSection",
    "MovieSceneControlRigParameterTrack": "MovieSceneControlRigParameterSection",
}
"""Track -> what its sections are."""


@dataclass(eq=False)
class Binding:
    """`thing` is the actor or component in the level of a possessable, or the template of a spawnable."""

    id: tuple[int, int, int, int]
    name: str
    class_name: str
    thing: Any = None
    spawnable: bool = False
    parent: tuple[int, int, int, int] | None = None
    display_name: str = ""
    tracks: list[Any] = field(default_factory=list)
    spawned: Any = None


@dataclass(eq=False)
class Movie:
    """`start` and `end` are ticks, the end outside."""

    display: Fraction = Fraction(30)
    ticks: Fraction = Fraction(24000)
    start: int = 0
    end: int = 24000 * 5
    tracks: list[Any] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)

    def to_ticks(self, frame: float | Fraction) -> int:
        return round(Fraction(frame) / self.display * self.ticks)

    def to_frame(self, tick: int) -> int:
        """The display frame that a tick lies in."""
        return int(tick / self.ticks * self.display // 1)

    def in_unit(self, tick: int, unit: Any) -> Fraction:
        """Display frames or ticks."""
        return Fraction(tick) if unit.name == "TICK_RESOLUTION" else tick / self.ticks * self.display

    def from_unit(self, frame: float | Fraction, unit: Any) -> int:
        return round(Fraction(frame)) if unit.name == "TICK_RESOLUTION" else self.to_ticks(frame)


def new_id() -> tuple[int, int, int, int]:
    whole = uuid.uuid4().int
    parts = [(whole >> shift & 0xFFFFFFFF) - 2**31 for shift in (0, 32, 64, 96)]
    return parts[0], parts[1], parts[2], parts[3]


def rate(value: Any) -> Fraction | None:
    """None for a rate that is none."""
    return Fraction(value.numerator, value.denominator) if value.numerator > 0 and value.denominator > 0 else None


def rate_struct(value: Fraction) -> Any:
    return known("FrameRate")(value.numerator, value.denominator)


@faked
class MovieSceneTrack(known("MovieSceneDecorationContainerObject")):  # type: ignore[misc]
    def _post_init(self) -> None:
        self._sections: list[Any] = []
        self._sequence: Any = None

    def add_section(self) -> Any:
        kind = SECTIONS.get(type(self).__name__)
        if kind is None:
            raise NotImplementedError(f"the fake knows no sections of {type(self).__name__}")
        self._sequence.modify()
        section = known(kind)(self, f"{kind}_{next(_numbers)}")
        section._track = self
        self._sections.append(section)
        return section

    def get_sections(self) -> list[Any]:
        return list(self._sections)

    def remove_section(self, section: Any) -> None:
        self._sequence.modify()
        self._sections.remove(section)

    def get_section_to_key(self) -> Any:
        return self._sections[0] if self._sections else None

    def get_display_name(self) -> str:
        return str(self._values.get("display_name", ""))


_numbers = itertools.count()


@faked
class MovieSceneSection(known("MovieSceneDecorationContainerObject")):  # type: ignore[misc]
    """`_range` in ticks; a new one is empty."""

    def _post_init(self) -> None:
        self._track: Any = None
        self._range: list[int | None] = [0, 0]
        self._active = True
        self._channels: dict[str, Any] = {}

    def _movie(self) -> Movie:
        return self._track._sequence._movie  # type: ignore[no-any-return]

    def _bound(self, at: int, value: int | None) -> None:
        self._track._sequence.modify()
        self._range[at] = value

    def set_range(self, start_frame: int, end_frame: int) -> None:
        if end_frame < start_frame:
            editor().log_file.write("error", "Invalid range specified")
            return
        self._bound(0, self._movie().to_ticks(start_frame))
        self._bound(1, self._movie().to_ticks(end_frame))

    def set_start_frame(self, start_frame: int) -> None:
        self._bound(0, self._movie().to_ticks(start_frame))

    def set_end_frame(self, end_frame: int) -> None:
        self._bound(1, self._movie().to_ticks(end_frame))

    def set_start_frame_bounded(self, is_bounded: bool) -> None:
        self._bound(0, (self._range[0] or 0) if is_bounded else None)

    def set_end_frame_bounded(self, is_bounded: bool) -> None:
        self._bound(1, (self._range[1] or 0) if is_bounded else None)

    def has_start_frame(self) -> bool:
        return self._range[0] is not None

    def has_end_frame(self) -> bool:
        return self._range[1] is not None

    def get_start_frame(self) -> int:
        return self._frame(0)

    def get_end_frame(self) -> int:
        return self._frame(1)

    def _frame(self, at: int) -> int:
        tick = self._range[at]
        if tick is None:
            raise Exception(f"Section does not have {'a start' if at == 0 else 'an end'} frame")
        return self._movie().to_frame(tick)

    def is_active(self) -> bool:
        return bool(self._active)

    def set_is_active(self, is_active: bool) -> None:
        self._track._sequence.modify()
        self._active = is_active

    def get_all_channels(self) -> list[Any]:
        return list(self._channels.values())

    def get_channel(self, channel_name: Any) -> Any:
        return self._channels.get(str(channel_name))

    def get_channels_by_type(self, channel_type: Any) -> list[Any]:
        return [channel for channel in self._channels.values() if isinstance(channel, channel_type._python)]

    def _channel(self, name: str) -> Any:
        """The float channel of this name, made where there is none."""
        if name not in self._channels:
            made = known("MovieSceneScriptingFloatChannel")(self, name)
            made._section = self
            made._values["channel_name"] = known("Name")(name)
            self._channels[name] = made
        return self._channels[name]

    def _dump(self) -> dict[str, Any]:
        channels = {name: sorted(channel._keys.items()) for name, channel in self._channels.items()}
        values = {name: encode(value) for name, value in self._values.items()}
        return {"class": type(self).__name__, "range": self._range, "active": self._active, "channels": channels} | {
            "values": values
        }

    def _load(self, said: dict[str, Any]) -> None:
        self._range, self._active = list(said["range"]), said["active"]
        self._values.update({name: decode(value) for name, value in said["values"].items()})
        for name, keys in said["channels"].items():
            self._channel(name)._keys = {int(tick): tuple(key) for tick, key in keys}


@faked
class MovieSceneSkeletalAnimationSection(MovieSceneSection):
    def _post_init(self) -> None:
        super()._post_init()
        self._values["params"] = known("MovieSceneSkeletalAnimationParams")(
            play_rate=known("MovieSceneTimeWarpVariant")(1.0), slot_name="DefaultSlot"
        )

    def _set_params(self, value: Any) -> None:
        if self._track is not None:
            self._track._sequence.modify()
        self._values["params"] = value


@faked
class MovieSceneTimeWarpVariant(known("StructBase")):  # type: ignore[misc]
    def to_fixed_play_rate(self) -> float:
        return float(self._values.get("fixed_play_rate", 1.0))

    def set_fixed_play_rate(self, fixed_play_rate: float) -> None:
        self._values["fixed_play_rate"] = fixed_play_rate


@faked
class MovieSceneScriptingFloatChannel(known("MovieSceneScriptingChannel")):  # type: ignore[misc]
    """`_keys`: tick -> (value, interpolation). A key at the same time takes the first one's place."""

    def _post_init(self) -> None:
        self._section: Any = None
        self._keys: dict[int, tuple[float, str]] = {}

    def add_key(self, time: Any, new_value: float, sub_frame: float, time_unit: Any, interpolation: Any) -> Any:
        self._section._track._sequence.modify()
        tick = self._section._movie().from_unit(time.value + Fraction(sub_frame), time_unit)
        self._keys[tick] = (new_value, interpolation.name)
        return self._key(tick)

    def get_keys(self) -> list[Any]:
        return [self._key(tick) for tick in sorted(self._keys)]

    def get_num_keys(self) -> int:
        return len(self._keys)

    def _key(self, tick: int) -> Any:
        made = known("MovieSceneScriptingFloatKey")(self)
        made._channel, made._tick = self, tick
        return made


@faked
class MovieSceneScriptingFloatKey(known("MovieSceneScriptingKey")):  # type: ignore[misc]
    def get_value(self) -> float:
        return self._channel._keys[self._tick][0]  # type: ignore[no-any-return]

    def get_time(self, time_unit: Any) -> Any:
        at = self._channel._section._movie().in_unit(self._tick, time_unit)
        whole = at // 1
        return known("FrameTime")(known("FrameNumber")(int(whole)), float(at - whole))

    def get_interpolation_mode(self) -> Any:
        name = self._channel._keys[self._tick][1]
        modes = known("RichCurveInterpMode")
        return {"LINEAR": modes.RCIM_LINEAR, "CONSTANT": modes.RCIM_CONSTANT}.get(name, modes.RCIM_CUBIC)
