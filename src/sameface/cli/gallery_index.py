"""`sameface gallery reindex` and `distribute`: how a gallery is searched, and over how many machines it lies."""

from __future__ import annotations

from typing import Annotated

import typer

from sameface.cli.options import GalleryOption, JsonOption


def reindex(
    gallery: GalleryOption = None,
    hnsw: Annotated[bool, typer.Option("--hnsw", help="On a server: search by an HNSW index from now on.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="On a server: search exactly again.")] = False,
    recall: Annotated[float, typer.Option("--recall", help="Share of the right people that HNSW must find.")] = 0.99,
    neighbours: Annotated[
        int, typer.Option("--neighbours", "-k", help="Of HNSW: people asked for at most; more are searched exactly.")
    ] = 5,
    m: Annotated[int, typer.Option("--m", help="Of HNSW: links of each template.")] = 16,
    ef_construction: Annotated[
        int, typer.Option("--ef-construction", help="Of HNSW: neighbours looked at while building.")
    ] = 128,
    memory: Annotated[
        int, typer.Option("--memory", help="Of HNSW: MB for building; about 1000 for a million templates.")
    ] = 1024,
    concurrently: Annotated[
        bool, typer.Option("--concurrently", help="Of HNSW: build while others write, in about twice the time.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make the search caches and indexes again."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, print_json, print_line
    from sameface.gallery import IndexBuild, open_store

    build = IndexBuild(neighbours, m, ef_construction, memory, concurrently)
    with open_store(gallery_location(gallery), create=False) as store:
        note(f"gallery: {store.location}")
        if hnsw or exact:
            tuning = store.tune_search(None if exact else recall, build)
            if json:
                print_json(tuning)
            elif tuning.method == "exact":
                print_line("search is exact")
            else:
                print_line(
                    f"HNSW, ef_search {tuning.ef_search}: finds {100 * tuning.recall:.1f} % of the nearest {tuning.neighbours},"
                    f" on {tuning.probes} probes"
                )
            return
        store.reindex()
        people, templates = len(store), store.count()
    if json:
        print_json({"people": people, "templates": templates})
    else:
        print_line("caches and indexes are made again")


def distribute(
    location: Annotated[str, typer.Argument(help="postgresql://… of the coordinator.")], json: JsonOption = False
) -> None:
    """Spread a gallery on a server over the machines of a Citus cluster, with everybody in it.

    All tables, or none. Whoever has the gallery open must open it again.
    """
    from sameface.cli.output import note, plural, print_json, print_line
    from sameface.gallery import distribute_gallery, open_store

    with open_store(location, create=False) as store:
        note(f"gallery: {store.location}")
    done = distribute_gallery(location)
    if json:
        print_json(done)
        return
    already = "lies already" if done.before else "lies now"
    print_line(f"the gallery {already} on {plural(done.machines, 'machine')}: {', '.join(done.tables)}")
    print_line(f"on the coordinator alone: {', '.join(done.local)}")
