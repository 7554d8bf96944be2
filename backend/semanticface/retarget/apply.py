"""A profile applied: values of actions become values of a rig's targets. Pure, and all frames at once.

Columns stand for actions in `CSV_ORDER`, as in `curves.samples`. Nothing here turns controls: their three angles
depend on the host's rotations.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface.retarget.profile import Link, Profile, TargetKind

Key = tuple[str, str, str]
"""(owner, bone, target); bone is "" for shapes and for properties of the object itself."""
Available = Mapping[str, Collection[str]]
"""Object -> names of the shapes that may be driven."""


def targets_of(profile: Profile, available: Available) -> Mapping[Key, tuple[Link, ...]]:
    """Which links move each target, in the profile's order.

    A shape link without an owner goes to every object of `available` that has such a shape; one with an owner to that
    object, if it is there and has it. Property links always stand: the host knows whether the property exists. Raises
    InputError where a shape and a property of one object have the same name, since nothing tells them apart.
    """
    out: dict[Key, list[Link]] = {}
    for link in profile.links:
        if link.kind is TargetKind.PROPERTY:
            owners = [link.owner]
        elif link.owner:
            owners = [link.owner] if link.target in available.get(link.owner, ()) else []
        else:
            owners = [owner for owner, names in available.items() if link.target in names]
        for owner in owners:
            bone = link.bone if link.kind is TargetKind.PROPERTY else ""
            links = out.setdefault((owner, bone, link.target), [])
            if links and links[0].kind is not link.kind:
                raise InputError(f'"{owner}" has a shape and a property called "{link.target}"', "rename one of them")
            links.append(link)
    return {key: tuple(links) for key, links in out.items()}


def drive(profile: Profile, values: NDArray[np.float64], available: Available) -> dict[Key, NDArray[np.float64]]:
    """The values (F,) of each target, from `values` (F, 61) of the actions.

    Each link gives `gain * action + offset`, cut to its limits; the shares of several links on one target add up. A
    row of NaN stays NaN. Targets that get the same share hold the same array: copy before changing one. Raises
    InputError as `targets_of` does, and where `values` has another shape.
    """
    if values.ndim != 2 or values.shape[1] != len(CSV_ORDER):
        raise InputError(f"values of shape {values.shape} can't be retargeted", f"they must be (F, {len(CSV_ORDER)})")
    column = {name: index for index, name in enumerate(CSV_ORDER)}
    by_action = np.ascontiguousarray(values.T)  # (61, F)
    shares: dict[Link, NDArray[np.float64]] = {}
    out = {}
    for key, links in targets_of(profile, available).items():
        for link in links:
            if link not in shares:
                shares[link] = _share(link, by_action[column[link.action]])
        parts = [shares[link] for link in links]
        out[key] = parts[0] if len(parts) == 1 else np.sum(parts, axis=0)
    return out


def _share(link: Link, values: NDArray[np.float64]) -> NDArray[np.float64]:
    share = link.gain * values + link.offset
    if link.minimum is None and link.maximum is None:
        return share
    return np.clip(share, link.minimum, link.maximum)
