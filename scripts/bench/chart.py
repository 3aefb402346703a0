"""A bar chart of a suite: for each case the share of its bound, by library."""

import matplotlib

matplotlib.use("svg")
# Text as text, and the same file for the same figures.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "posenc", "font.size": 9})

import matplotlib.pyplot as plt

COLORS = {"posenc": "#1b6ca8", "onnxruntime": "#f08a4b", "openvino": "#7a5195", "torch": "#d1495b",
          "jax": "#66a182", "iree": "#8d96a3", "numpy": "#c9ada7", "torch_cuda": "#d1495b"}


def draw(cases, title, path):
    """`cases` are pairs of our result and those of other libraries by name."""
    libraries = [name for name in COLORS if name == "posenc" or any(name in peers for _, peers in cases)]
    bars = [(case, library, ({"posenc": ours} | peers)[library]["fraction"])
            for case, (ours, peers) in enumerate(cases)
            for library in libraries if library in {"posenc": ours} | peers]
    height = 0.8 / len(libraries)
    figure, axes = plt.subplots(figsize=(8, 0.8 + len(cases) * (0.16 * len(libraries) + 0.18)))
    for library in libraries:
        own = [(case + height * libraries.index(library), share) for case, name, share in bars if name == library]
        axes.barh([y for y, _ in own], [100 * share for _, share in own], height, align="edge",
                  color=COLORS[library], label=library)
    axes.set_yticks([case + 0.4 for case in range(len(cases))], [ours["name"] for ours, _ in cases])
    axes.invert_yaxis()
    axes.set_xlim(0, max(100, *(100 * share for _, _, share in bars)))
    axes.set_xlabel("% of what bounds the case: multiply-adds, or reads from memory")
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    if len(libraries) > 1:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
