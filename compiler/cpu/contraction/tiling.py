"""How a product is cut to fit the processor: the register tile of the micro-kernel and the blocks that stay in cache.

In: an element type and a target. Out: a `Tiling`, whose numbers appear in the text of the kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessile.compiler.target import Target

ELEMENT_BYTES = {"f32": 4, "f64": 8}
_SHORT_ROWS = {14: 6, 12: 4, 6: 2}
_LEFT_PANEL_BYTES = 30 << 10
"""A panel of left rows; it stays in the first cache (32 KiB or more) while the right block streams through."""
_RIGHT_BLOCK_BYTES = {64: 1 << 20, 32: 512 << 10, 16: 256 << 10}
"""A block of the right matrix, by vector width; it stays in the second cache."""


@dataclass(frozen=True)
class Tiling:
    """Sizes of tiles and blocks, in elements.

    Attributes:
      dtype: `f32` or `f64`.
      lanes: elements of a vector register.
      rows: rows of a register tile.
      short_rows: rows of the smaller tile for the last few rows.
      columns: columns of a register tile, two vectors; the last columns may use a tile of one vector.
      depth: the longest stretch of the contracted axis that is summed at once.
      block_columns: columns of the right matrix that are packed at once.
    """

    dtype: str
    lanes: int
    rows: int
    short_rows: int
    depth: int
    block_columns: int

    @property
    def columns(self) -> int:
        return 2 * self.lanes

    @property
    def row_stride(self) -> int:
        """Distance of two rows in a left panel whose rows lie one after another.

        Longer than the rows by one vector, which copying may overwrite, and no power of two, so that the rows fall
        into different sets of the cache.
        """
        return self.depth + self.lanes

    @property
    def left_panel(self) -> int:
        """Elements of workspace for a left panel, in either layout."""
        return self.rows * self.row_stride + 2 * self.lanes

    @property
    def right_block(self) -> int:
        """Elements of workspace for a block of the right matrix; copying may write one vector past its end."""
        return self.depth * self.block_columns + self.lanes

    @property
    def workspace(self) -> int:
        """Elements of workspace for both, rounded up so that the panels of each part begin alike in a cache line."""
        return -(-(self.left_panel + self.right_block) // 64) * 64

    @property
    def name(self) -> str:
        """Element type and tile, as the names of intrinsics end: `f32_14x32`."""
        return f"{self.dtype}_{self.rows}x{self.columns}"


def tiling_for(dtype: str, target: Target) -> Tiling:
    """The tiling for `f32` or `f64` on a target.

    A tile has two sums for each row; they fill the registers but for two vectors of the right operand and a factor.
    """
    lanes = target.vector_bytes // ELEMENT_BYTES[dtype]
    if target.vector_bytes == 64:
        rows = 14
    else:
        rows = 12 if target.triple.startswith(("aarch64", "arm64")) else 6
    return tiling_of(dtype, rows, 2 * lanes)


def tiling_of(dtype: str, rows: int, columns: int) -> Tiling:
    """The tiling whose register tile has `rows` rows of two vectors, `columns` elements together."""
    size, lanes = ELEMENT_BYTES[dtype], columns // 2
    depth = _LEFT_PANEL_BYTES // (size * 14) // 64 * 64
    block_columns = _RIGHT_BLOCK_BYTES[lanes * size] // (size * depth) // columns * columns
    return Tiling(dtype, lanes, rows, _SHORT_ROWS[rows], depth, block_columns)
