"""A dataset's rows as what the trainer takes: read, described, mirrored by lot, encoded, each when it is asked for.

The lot depends on seed, epoch and row alone, so that a run that is resumed sees what it would have seen, whatever the
number of worker processes. This module knows nothing of models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from semanticface.analysis.parse import parse_answer
from semanticface.errors import InputError, UnparseableAnswer
from semanticface.media.images import FILE_LIMITS, decode_image
from semanticface.results import Analysis
from semanticface_training.dataset.table import Dataset
from semanticface_training.stage2.encode import Encoded, Encoder
from semanticface_training.stage2.flip import Describe, flip, mirrored_analysis
from semanticface_training.stage2.sample import Sample
from semanticface_training.stage2.targets import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Prepare = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


class Examples:
    """Rows of `dataset` with these numbers, for `transformers.Trainer` or a `DataLoader`.

    `descriptions`: by row id, which A2 needs. `flips`: the share of rows that is mirrored, drawn anew each epoch;
    `describe` writes a mirrored row's words anew (right for descriptions by rules), without it they are mirrored word
    by word, and a row whose words can't be stays as it is. `prepare` gets each picture as it is on the disk, before it
    is mirrored. Raises InputError that names the first row without a description.
    """

    def __init__(
        self,
        dataset: Dataset,
        numbers: Sequence[int],
        encoder: Encoder,
        descriptions: Mapping[str, Analysis] | None = None,
        *,
        flips: float = 0.0,
        seed: int = 0,
        describe: Describe | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self.encoder, self._dataset, self._numbers = encoder, dataset, list(numbers)
        self._descriptions = descriptions or {} if encoder.form.target is Target.A2 else {}
        self._flips, self._seed, self._describe, self._epoch = flips, seed, describe, 0
        self._prepare = prepare
        if encoder.form.target is Target.A2:
            without = [dataset.rows[number].id for number in self._numbers if not self._has_words(number)]
            if without:
                raise InputError(
                    f"{len(without)} of {len(self._numbers)} rows have no description, {without[0]} first",
                    "describe the dataset to its end, or leave these rows out",
                )

    @property
    def words(self) -> Mapping[str, Analysis]:
        """The descriptions of these rows that are taught, by id."""
        names = (self._dataset.rows[number].id for number in self._numbers)
        return {name: self._descriptions[name] for name in names if name in self._descriptions}

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> Encoded:
        """Raises MediaError or InputError that names the row."""
        sample = self.sample(place)
        if self.flipped(place):
            sample = flip(sample, self._describe)
        return self.encoder.encode(sample)

    def set_epoch(self, epoch: int) -> None:
        """Draw the lots of this epoch, counted from 0; accelerate's loaders call it."""
        self._epoch = epoch

    def sample(self, place: int) -> Sample:
        """The row as it is on the disk, its picture prepared."""
        number = self._numbers[place]
        row = self._dataset.rows[number]
        where = f"row {row.id}: {self._dataset.image_path(number)}"
        image = decode_image(self._dataset.image_bytes(number), FILE_LIMITS, where)
        if self._prepare is not None:
            image = self._prepare(image)
        return Sample(row.id, image, row.coefficients, self._descriptions.get(row.id))

    def flipped(self, place: int) -> bool:
        """Whether the row is mirrored in this epoch."""
        identity = self._dataset.rows[self._numbers[place]].id
        seed = f"{self._seed} {self._epoch} {identity}".encode()
        lot = int.from_bytes(hashlib.blake2b(seed, digest_size=8).digest()) / 2**64
        return lot < self._flips and (self._describe is not None or self._mirrorable(identity))

    def check(self) -> int:
        """Encode and read back every row once; the number of rows whose words can't be mirrored.

        Raises MediaError or InputError that names the first row that can't be taught, or whose answer isn't read back
        as it was meant: a description can hold what a reader takes for values.
        """
        for place in range(len(self)):
            self.checked(place)
        return sum(not self.mirrorable(place) for place in range(len(self)))

    def checked(self, place: int) -> Encoded:
        """The unmirrored row, encoded and read back. Raises what `check` raises."""
        encoded = self.encoder.encode(self.sample(place))
        try:
            parsed = parse_answer(encoded.text, self.encoder.form.actions)
        except UnparseableAnswer as error:
            raise InputError(f"row {encoded.id}: its answer can't be read back: {error.message}") from error
        if parsed.repairs:
            raise InputError(
                f"row {encoded.id}: its answer is read with repairs: {parsed.repairs[0]}", "describe it anew"
            )
        return encoded

    def mirrorable(self, place: int) -> bool:
        """Whether the row can be mirrored with its words."""
        return self._describe is not None or self._mirrorable(self._dataset.rows[self._numbers[place]].id)

    def _has_words(self, number: int) -> bool:
        return self._dataset.rows[number].id in self._descriptions

    def _mirrorable(self, identity: str) -> bool:
        analysis = self._descriptions.get(identity)
        if analysis is None:
            return True
        try:
            mirrored_analysis(analysis, identity)
        except InputError:
            return False
        return True
