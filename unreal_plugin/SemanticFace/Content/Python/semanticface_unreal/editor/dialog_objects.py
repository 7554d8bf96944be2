"""The Python classes behind the dialogs: what Unreal's details view shows, with labels and tips.

Their objects live while a dialog is open and are never saved: an asset can't hold an object of a Python class. Plain
properties; `dialog` fills and reads them.
"""

from __future__ import annotations

from semanticface_unreal.engine import unreal

_FACES = {"AllowedClasses": "/Script/Engine.Skeleton,/Script/Engine.SkeletalMesh"}
_VIDEO = "Video and images|*.mp4;*.mov;*.mkv;*.avi;*.webm;*.png;*.jpg;*.jpeg;*.exr;*.tif;*.tiff"


def _said(category: str, name: str, tip: str, **more: str) -> dict[str, str]:
    return {"Category": category, "DisplayName": name, "ToolTip": tip, **more}


@unreal.uenum()
class SemanticFaceNames(unreal.EnumBase):
    METAHUMAN = unreal.uvalue(0, meta={"DisplayName": "MetaHuman (CTRL_expressions)"})
    ARKIT = unreal.uvalue(1, meta={"DisplayName": "ARKit"})
    PROFILE = unreal.uvalue(2, meta={"DisplayName": "Retarget Profile"})


@unreal.uenum()
class SemanticFaceUnsolved(unreal.EnumBase):
    OMIT = unreal.uvalue(0, meta={"DisplayName": "No Key"})
    HOLD = unreal.uvalue(1, meta={"DisplayName": "Hold the Frame Before"})
    NEUTRAL = unreal.uvalue(2, meta={"DisplayName": "Face at Rest"})


@unreal.uenum()
class SemanticFaceExisting(unreal.EnumBase):
    OVERWRITE = unreal.uvalue(0, meta={"DisplayName": "Replace Its Curves"})
    UNIQUE = unreal.uvalue(1, meta={"DisplayName": "Make Another"})


@unreal.uclass()
class SemanticFaceSettings(unreal.Object):
    """What `Settings` holds, as the details view edits it."""

    folder = unreal.uproperty(
        unreal.DirectoryPath, _said("1 Assets", "Folder", "Where AnimSequences are written", ContentDir="true")
    )
    naming = unreal.uproperty(str, _said("1 Assets", "Name", "{id} stands for the footage's name"))
    existing = unreal.uproperty(SemanticFaceExisting, _said("1 Assets", "If It Exists", "Or number the new one"))
    target = unreal.uproperty(
        unreal.Object, _said("1 Assets", "Face", "Skeleton or mesh; none: the MetaHuman archetype", **_FACES)
    )
    level_sequence = unreal.uproperty(bool, _said("1 Assets", "Level Sequence", "Write one that plays it, too"))
    control_rig = unreal.uproperty(str, _said("1 Assets", "Control Rig", 'Path of a rig that gets keys; none: ""'))
    names = unreal.uproperty(SemanticFaceNames, _said("2 Curves", "Curve Names", "What the face's blueprint reads"))
    profile = unreal.uproperty(
        unreal.FilePath, _said("2 Curves", "Retarget Profile", "With Curve Names by profile", FilePathFilter="json")
    )
    head = unreal.uproperty(bool, _said("2 Curves", "Head", "Key the head's rotation, too"))
    head_factor = unreal.uproperty(float, _said("2 Curves", "Head Factor", "57.2958: degrees; 50: as Live Link"))
    unsolved = unreal.uproperty(SemanticFaceUnsolved, _said("2 Curves", "Unsolved Frames", "Frames without a face"))
    smoothing = unreal.uproperty(
        float, _said("3 Recipe", "Smoothing", "0: as analyzed, 1: as calm as blinks allow", ClampMin="0", ClampMax="1")
    )
    reduce_keys = unreal.uproperty(bool, _said("3 Recipe", "Fewer Keys", "Within the tolerance; off: one a frame"))
    tolerance = unreal.uproperty(
        float,
        _said("3 Recipe", "Tolerance", "How far a curve may be off", ClampMin="0.00001", ClampMax="1"),
    )
    recipe = unreal.uproperty(
        unreal.FilePath, _said("3 Recipe", "Recipe File", "Holds in place of the sliders", FilePathFilter="json")
    )
    engine = unreal.uproperty(str, _said("4 Backend", "Engine", "auto, landmarks or semanticface"))
    rate = unreal.uproperty(str, _said("4 Backend", "Rate", "Of image sequences: 25, 23.976, 30000/1001"))
    backend = unreal.uproperty(str, _said("4 Backend", "Backend", "Its Python or command; none: the installed one"))
    takes = unreal.uproperty(unreal.DirectoryPath, _said("4 Backend", "Takes", "Folder of raw results; none: Saved"))
    ahead = unreal.uproperty(int, _said("4 Backend", "Jobs Ahead", "Analyzed while others are written", ClampMin="1"))
    budget = unreal.uproperty(float, _said("5 Editor", "Milliseconds a Tick", "What the queue may take of a frame"))
    livelink = unreal.uproperty(str, _said("5 Editor", "Live Link", "host:port of the preview"))
    subject = unreal.uproperty(str, _said("5 Editor", "Live Link Subject", "Its name in Live Link"))


@unreal.uclass()
class SemanticFaceFootage(unreal.Object):
    """What `Wanted` holds, as the details view edits it."""

    folder = unreal.uproperty(
        unreal.DirectoryPath, _said("1 Footage", "Folder", "Every video and image sequence in it and below it")
    )
    file = unreal.uproperty(
        unreal.FilePath, _said("1 Footage", "Or One File", "A video, or any image of a sequence", FilePathFilter=_VIDEO)
    )
    frames = unreal.uproperty(str, _said("1 Footage", "Frames", "0-119:2, 200; none: all"))
    rate = unreal.uproperty(str, _said("1 Footage", "Rate", "Of image sequences; none: that of the settings"))
    target = unreal.uproperty(
        unreal.Object, _said("2 Target", "Face", "Skeleton or mesh; none: the MetaHuman archetype", **_FACES)
    )
    assets = unreal.uproperty(
        unreal.DirectoryPath, _said("2 Target", "Content Folder", "Where AnimSequences are written", ContentDir="true")
    )
    run_now = unreal.uproperty(bool, _said("2 Target", "Run Now", "Begin at once, while the editor stays usable"))


@unreal.uclass()
class SemanticFaceCsv(unreal.Object):
    """A recording of Live Link Face, and where it goes."""

    file = unreal.uproperty(unreal.FilePath, _said("CSV", "File", "As Live Link Face writes it", FilePathFilter="csv"))
    assets = unreal.uproperty(
        unreal.DirectoryPath, _said("CSV", "Content Folder", "Where the Level Sequence goes", ContentDir="true")
    )


@unreal.uclass()
class SemanticFaceInstallation(unreal.Object):
    """How the backend's own environment is made."""

    online = unreal.uproperty(bool, _said("Backend", "Use the Network", "Fetch packages and the face model, this time"))
    wheels = unreal.uproperty(unreal.DirectoryPath, _said("Backend", "Or Folder of Wheels", "Needs no network"))
    model = unreal.uproperty(
        unreal.FilePath, _said("Backend", "Face Model", "A face_landmarker.task that is here", FilePathFilter="task")
    )
    python = unreal.uproperty(str, _said("Backend", "Python", "3.11 or later; none: the best one found"))
    large = unreal.uproperty(bool, _said("Backend", "Large Model", "The libraries of the SemanticFace model, too"))
    anew = unreal.uproperty(bool, _said("Backend", "Anew", "Make it once more, though it looks whole"))
