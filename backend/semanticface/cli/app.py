"""The table of commands. What each does stands in its own module, imported when it is called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from semanticface import __version__
from semanticface.cli.app_bench import Json, bench
from semanticface.cli.output import run_command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
models = typer.Typer(no_args_is_help=True, help="Models: list, fetch, verify, import, remove.")
remote = typer.Typer(no_args_is_help=True, help="Servers that the remote engine asks: add, list, test, remove.")
app.add_typer(models, name="models")
app.add_typer(remote, name="remote")
app.add_typer(bench, name="bench")
app.info.help = "Facial animation from reference footage: 61 ARKit coefficients and a semantic analysis per frame."


class ExportFormat(StrEnum):
    LIVELINK_CSV = "livelink-csv"
    JSON = "json"


class Mode(StrEnum):
    FULL = "full"
    COEFFICIENTS = "coefficients"


class GapPolicy(StrEnum):
    SKIP = "skip"
    HOLD = "hold"
    NEUTRAL = "neutral"


@app.command()
def analyze(
    source: Annotated[str, typer.Argument(help="A video, an image, a folder or pattern (shot.####.png) of images.")],
    frames: Annotated[
        str,
        typer.Option(help="Source frames from 0, e.g. 0-119:2,200; matter: the extremes of the pose. Default: all."),
    ] = "",
    most: Annotated[int, typer.Option(help="Of frames that matter at most so many; 0: as many as it takes.")] = 0,
    sensitivity: Annotated[float, typer.Option(help="For frames that matter: 0 large moves, 1 small ones, too.")] = 0.5,
    engine: Annotated[
        str, typer.Option(help="auto, landmarks, semanticface, semanticface:CHECKPOINT ... (status lists them).")
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="Take folder to write. Run again to resume it.")] = None,
    face: Annotated[
        str, typer.Option(help="largest, a number from the left (0, 1 ...), or a box x,y,w,h.")
    ] = "largest",
    smoothing: Annotated[bool, typer.Option(help="The tracker's own smoothing on video.")] = True,
    rate: Annotated[str, typer.Option(help="Frame rate of an image sequence: 24, 30000/1001.")] = "",
    mode: Annotated[
        Mode | None, typer.Option(help="coefficients: an engine that writes skips its analysis, which is faster.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An option of the engine, key=value with a JSON value. Repeatable.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Show each analysis as it is written.")] = False,
    json: Json = False,
) -> None:
    """Analyze footage: coefficients and a written analysis for each frame."""
    from semanticface.cli.analyze import AnalyzeRequest, run_analyze

    plain = (source, frames, engine, out, face, smoothing, rate, json)
    request = AnalyzeRequest(
        *plain, mode=mode or "", options=tuple(option or ()), follow=follow, most=most, sensitivity=sensitivity
    )
    raise typer.Exit(run_analyze(request))


@app.command()
def extremes(
    take: Annotated[Path, typer.Argument(help="Take folder.")],
    most: Annotated[int, typer.Option(help="At most so many; 0: as many as it takes.")] = 0,
    sensitivity: Annotated[float, typer.Option(help="From 0, large moves, to 1, small ones, too.")] = 0.5,
    json: Json = False,
) -> None:
    """Print the frames of a take that matter: the poses that a keyframe artist would set."""
    from semanticface.cli.matter import run_extremes

    raise typer.Exit(run_extremes(take, most, sensitivity, json))


@app.command()
def export(
    take: Annotated[Path, typer.Argument(help="Take folder.")],
    to: Annotated[ExportFormat, typer.Option(help="Format.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    missing: Annotated[GapPolicy, typer.Option(help="CSV rows of frames without a result.")] = GapPolicy.SKIP,
    start: Annotated[str, typer.Option(help="CSV timecode of source frame 0: source, or HH:MM:SS:FF. Default 0.")] = "",
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe (JSON): smoothing, neutral, gains. Default: raw.")
    ] = None,
    json: Json = False,
) -> None:
    """Export a take as a Live Link Face CSV or as JSON lines."""
    from semanticface.cli.export import run_export

    raise typer.Exit(run_export(take, to.value, out, missing.value, start, json, recipe))


@app.command()
def stream(
    take: Annotated[Path, typer.Argument(help="Take folder.")],
    to: Annotated[str, typer.Option(help="HOST or HOST:PORT; 11111 is Unreal's port.")],
    subject: Annotated[str, typer.Option(help="The name in Unreal's Live Link window.")] = "SemanticFace",
    device: Annotated[str, typer.Option(help="Identifier of the sender. Default: one made of the subject.")] = "",
    start: Annotated[
        str, typer.Option(help="Timecode of source frame 0: HH:MM:SS:FF, source, now. Default: the footage's or 0.")
    ] = "",
    speed: Annotated[float, typer.Option(help="2: twice as fast.")] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end, until Ctrl-C.")] = False,
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe (JSON): smoothing, neutral, gains. Default: raw.")
    ] = None,
    missing: Annotated[
        GapPolicy, typer.Option(help="Frames without a result; skip: a packet without a face, as the app sends.")
    ] = GapPolicy.SKIP,
    follow: Annotated[bool, typer.Option("--follow", help="Play a take while an analysis is writing it.")] = False,
    bind: Annotated[str, typer.Option(help="An address of this machine to send from.")] = "",
    json: Json = False,
) -> None:
    """Play a take as Live Link Face packets (UDP), for a preview in Unreal."""
    from semanticface.cli.stream import StreamRequest, run_stream
    from semanticface.exchange.livelink_csv import WithoutFace
    from semanticface.exchange.livelink_stream import StreamOptions

    options = StreamOptions(to, subject, device, start, speed, loop, WithoutFace(missing.value), bind)
    raise typer.Exit(run_stream(StreamRequest(take, options, recipe, follow, json)))


@app.command()
def show(
    take: Annotated[Path, typer.Argument(help="Take folder.")],
    frame: Annotated[int | None, typer.Option(help="One frame's analysis and coefficients.")] = None,
    json: Json = False,
) -> None:
    """Show what a take holds: counts, categories, or one frame's analysis."""
    from semanticface.cli.export import run_show

    raise typer.Exit(run_show(take, frame, json))


@app.command()
def report(
    take: Annotated[Path, typer.Argument(help="Take folder.")],
    out: Annotated[Path | None, typer.Option(help="HTML file to write. Default: beside the take.")] = None,
    footage: Annotated[str, typer.Option(help="Where the footage is now. Default: where the take has it.")] = "",
    frames: Annotated[str, typer.Option(help="Source frames from 0, e.g. 0-119:2,200. Default: all.")] = "",
    recipe: Annotated[Path | None, typer.Option(help="A recipe (JSON), drawn over the raw curves.")] = None,
    pictures: Annotated[int, typer.Option(help="At most so many frames as pictures; 0: none.")] = 240,
    json: Json = False,
) -> None:
    """Make a page of a take for a browser: footage, words, curves, flagged frames."""
    from semanticface.cli.report import ReportRequest, run_report

    raise typer.Exit(run_report(ReportRequest(take, out, footage, frames, recipe, pictures, json)))


@app.command()
def serve(
    bind: Annotated[str, typer.Option(help="Endpoint. Beyond loopback only together with --keys.")] = "",
    keys: Annotated[Path | None, typer.Option(help="Folder of authorized client public keys (CURVE).")] = None,
    idle: Annotated[float, typer.Option(help="Unload the engine after so many idle seconds; 0: never.")] = 600.0,
    lease: Annotated[bool, typer.Option("--lease", hidden=True, help="End when no client is left.")] = False,
) -> None:
    """Run the backend in the foreground until interrupted."""
    from semanticface.cli.backend import run_serve

    raise typer.Exit(run_serve(bind, keys, idle, lease))


@app.command()
def status(json: Json = False) -> None:
    """Say whether a backend runs, what it is doing, and which engines it has."""
    from semanticface.cli.backend import run_status

    raise typer.Exit(run_status(json))


@app.command()
def stop(json: Json = False) -> None:
    """Stop the running backend; finished frames are kept."""
    from semanticface.cli.backend import run_stop

    raise typer.Exit(run_stop(json))


@app.command()
def unload(
    engine: Annotated[str, typer.Argument(help="Only this engine's, with its variants. Default: all.")] = "",
    json: Json = False,
) -> None:
    """End the engines' processes, which gives their memory and the GPU back; the backend goes on."""
    from semanticface.cli.backend import run_unload

    raise typer.Exit(run_unload(engine, json))


@app.command()
def doctor(
    register: Annotated[bool, typer.Option(help="Record this installation, so that add-ons find it.")] = False,
    json: Json = False,
) -> None:
    """Check this installation and say what to do about each fault."""
    from semanticface.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(register, json))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out/demo"),
    sample: Annotated[Path | None, typer.Option(help="Folder with the sample clip.")] = None,
    json: Json = False,
) -> None:
    """Run the whole path on the shipped sample: take, CSV, .blend and a side-by-side preview."""
    from semanticface.cli.demo import run_demo_command

    raise typer.Exit(run_demo_command(out, sample, json))


@models.command("list")
def models_list(json: Json = False) -> None:
    """List files, checkpoints and base models: where they are, under which licence, whole or not."""
    from semanticface.cli.models import run_list

    raise typer.Exit(run_list(json))


@models.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="semanticface, face_landmarker, or a base model as OWNER/NAME.")],
    prompt: Annotated[Path | None, typer.Option(help="The released prompt from this example.jsonl.")] = None,
    json: Json = False,
) -> None:
    """Fetch a model file, a checkpoint with its base, or a base model; resumed and verified."""
    from semanticface.cli.models import run_pull

    raise typer.Exit(run_pull(name, prompt, json))


@models.command("verify")
def models_verify(
    name: Annotated[str, typer.Argument(help="One model; default: all.")] = "", json: Json = False
) -> None:
    """Check the size and the SHA-256 of every model file that is there."""
    from semanticface.cli.models import run_verify

    raise typer.Exit(run_verify(name, json))


@models.command("import")
def models_import(
    path: Annotated[Path, typer.Argument(help="A model file, checkpoint, adapter, base model or models folder.")],
    name: Annotated[str, typer.Option(help="What to call it here.")] = "",
    base: Annotated[str, typer.Option(help="The adapter's base: its folder, or its name when it is installed.")] = "",
    profile: Annotated[
        Path | None, typer.Option(help="profile.json, or example.jsonl for the released prompt.")
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Hard links instead of copies (same disk).")] = False,
    json: Json = False,
) -> None:
    """Take models that are already on this machine (a studio without internet, own training)."""
    from semanticface.cli.models import run_import

    raise typer.Exit(run_import(path, name, base, profile, link, json))


@models.command("remove")
def models_remove(
    name: Annotated[str, typer.Argument(help="A checkpoint or base model that pull or import made.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Delete a checkpoint or base model from your models folder."""
    from semanticface.cli.models import run_remove

    raise typer.Exit(run_remove(name, yes, json))


@remote.command("add")
def remote_add(
    name: Annotated[str, typer.Argument(help="How you call it: the engine is then remote:NAME.")],
    url: Annotated[str, typer.Argument(help="Its address, as http://127.0.0.1:8000/v1.")],
    model: Annotated[str, typer.Option(help="The name under which it serves base and adapter.")],
    profile: Annotated[str, typer.Option(help="An installed checkpoint, or a profile.json that is then kept here.")],
    key_variable: Annotated[str, typer.Option(help="NAME of the environment variable with the API key.")] = "",
    concurrency: Annotated[int, typer.Option(help="Most questions in flight.")] = 8,
    timeout: Annotated[float, typer.Option(help="Seconds for one answer.")] = 120.0,
    patience: Annotated[float, typer.Option(help="Seconds that the server may be away during a run.")] = 120.0,
    ca: Annotated[Path | None, typer.Option(help="PEM file of the studio's certificates.")] = None,
    grammar: Annotated[str, typer.Option(help="auto, structured_outputs, guided_regex, regex or none.")] = "auto",
    stream: Annotated[bool, typer.Option(help="Get answers word by word.")] = True,
    jpeg: Annotated[int, typer.Option(help="Send JPEG of this quality; 0: lossless PNG.")] = 0,
    insecure: Annotated[bool, typer.Option("--insecure", help="Let the key travel without TLS.")] = False,
    json: Json = False,
) -> None:
    """Write down a server (vLLM, SGLang ...) that serves base and adapter."""
    from semanticface.cli.remote import Added, run_add

    fields = {"key_variable": key_variable, "concurrency": concurrency, "timeout": timeout, "patience": patience}
    fields |= {"grammar": grammar, "stream": stream, "jpeg": jpeg, "insecure": insecure}
    raise typer.Exit(run_add(Added(name, url, model, profile, ca, fields), json))


@remote.command("list")
def remote_list(json: Json = False) -> None:
    """List the servers and whether their keys are set; keys are never shown."""
    from semanticface.cli.remote import run_list

    raise typer.Exit(run_list(json))


@remote.command("test")
def remote_test(
    name: Annotated[str, typer.Argument(help="Which; see `remote list`.")],
    picture: Annotated[Path | None, typer.Option(help="A picture of a face to ask about.")] = None,
    json: Json = False,
) -> None:
    """Ask a server what it understands, and about one picture."""
    from semanticface.cli.remote import run_test

    raise typer.Exit(run_test(name, picture, json))


@remote.command("remove")
def remote_remove(name: Annotated[str, typer.Argument(help="Which; see `remote list`.")], json: Json = False) -> None:
    """Forget a server."""
    from semanticface.cli.remote import run_remove

    raise typer.Exit(run_remove(name, json))


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"semanticface {__version__}")
        raise typer.Exit


def run() -> None:
    """Run the command line."""
    run_command(app)
