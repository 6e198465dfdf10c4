"""The inner loops of the multigrid, in numba: small row kernels, and drivers that walk them over rows.

Every array carries a border of one pixel of zeros (ones in the diagonal), so that no loop asks
where the photo ends: pixel ``(row, col)`` lives at ``[row + 1, col + 1]``. A symmetric 3x3 operator
``A`` is kept as its diagonal ``d`` and four planes of couplings with the neighbours that come later
in reading order; ``(A x)_r = d_r x_r - sum_s w_rs x_s``. So the eight couplings of pixel ``(i, j)``
are found at::

    SOUTH_EAST[i-1, j-1]    SOUTH[i-1, j]    SOUTH_WEST[i-1, j+1]
          EAST[i, j-1]         d[i, j]             EAST[i, j]
    SOUTH_WEST[i, j]          SOUTH[i, j]    SOUTH_EAST[i, j]

Fields have two channels, ``(2, H + 2, W + 2)``.

`colorize.optimization.affinity` calls the driver of the weights, `colorize.optimization.system` those of the equations,
`colorize.optimization.multigrid` all others. They take a range of rows ``first <= row < last`` of the bordered array,
so that threads can share the rows. Sums are returned per row and added by the caller in one fixed order: no result
depends on the number of threads.

Drivers are compiled for one signature only, when this module is first imported, and kept in numba's cache; row kernels
(their names begin with an underscore) are compiled into the drivers and have no life of their own.
"""

# The numba signatures are the type annotations here.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import float32, float64, intp, njit, void

from colorize._support.compiling import keeps_compiled_code

EAST, SOUTH, SOUTH_EAST, SOUTH_WEST = 0, 1, 2, 3
LEFT, RIGHT, UP, DOWN = 0, 1, 2, 3
STAGES = 4  # two sweeps of two stages each, see `smooth`

# Weights are multiples of this fraction, so that float32 holds the sum of a row without rounding:
# the error of that sum would act like a wish for grey, and a wish may be as weak as 1e-5. A sum
# below 16 then takes no more than the 24 bits that float32 has.
UNITS = np.float32(2**20)

_PLANE = float32[:, ::1]
_PLANES = float32[:, :, ::1]
_SUMS = float64[:, ::1]
# Reassociation lets sums run in vector registers; NaN and infinity keep their meaning.
_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}
_inner = njit(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)
_OPTIONS["cache"] = keeps_compiled_code()


# ------------------------------------------------------------------------------------------ weights


@_inner
def _gaussian_row(weight, here, there, scale, floor):
    """Weights between the pixels of two rows: ``exp(-(scale d)^2) + floor``."""
    for j in range(weight.size):
        step = scale * (here[j] - there[j])
        # exp(-t) as the 64th power of a short series of exp(-t / 64): no call, so the loop stays
        # vectorised. What the series leaves out, t^4 / (24 * 64^3) of the value, is never a whole
        # unit of 2**-20 (most at t = 4); beyond t = 20 the value itself is none.
        t = min(step * step, float32(20.0)) * float32(1 / 64)
        u = float32(1) - t * (float32(1) - t * (float32(0.5) - t * float32(1 / 6)))
        u *= u
        u *= u
        u *= u
        u *= u
        u *= u
        weight[j] = np.floor((u * u + floor) * UNITS) * (float32(1) / UNITS)


@njit(void(_PLANES, _PLANE, float32, float32, intp, intp), **_OPTIONS)
def gaussian_weights(w, lightness, scale, floor, first, last):
    """Fill the four planes from a bordered lightness."""
    width = lightness.shape[1]
    for i in range(first, last):
        for plane in range(4 if i < lightness.shape[0] - 2 else 1):
            down = 0 if plane == EAST else 1
            right = (plane in (EAST, SOUTH_EAST)) - (plane == SOUTH_WEST)
            row, here, there = w[plane, i], lightness[i], lightness[i + down]
            _gaussian_row(row[1:-1], here[1:-1], there[1 + right : width - 1 + right], scale, floor)
            # The border of the lightness is black, and so may a pixel beside it be: that is no neighbour.
            if right != 0:
                row[width - 2 if right > 0 else 1] = 0


@njit(void(_PLANE, _PLANES, _PLANE, intp, intp), **_OPTIONS)
def diagonal(d, w, confidence, first, last):
    """``d_r = sum_s w_rs + c_r``."""
    for i in range(first, last):
        east, south, south_east, south_west = w[EAST, i], w[SOUTH, i], w[SOUTH_EAST, i], w[SOUTH_WEST, i]
        # What lies north keeps its couplings with this row under its own names for them.
        north, north_west, north_east = w[SOUTH, i - 1], w[SOUTH_EAST, i - 1], w[SOUTH_WEST, i - 1]
        out, own = d[i], confidence[i]
        for j in range(1, out.size - 1):
            out[j] = own[j] + east[j] + east[j - 1] + south[j] + south_east[j]
        for j in range(1, out.size - 1):
            out[j] += south_west[j] + north[j] + north_west[j - 1] + north_east[j + 1]


@njit(void(_PLANE, _PLANES, _PLANES, intp[::1], intp[::1], _PLANE), **_OPTIONS)
def eliminate(d, w, b, rows, cols, values):
    """Give known pixels an identity row and move their couplings to the right-hand side, as `stencil_system` draws."""
    for k in range(rows.size):
        i, j = rows[k], cols[k]
        for c in range(2):
            v = values[k, c]
            b[c, i, j + 1] += w[EAST, i, j] * v
            b[c, i, j - 1] += w[EAST, i, j - 1] * v
            b[c, i + 1, j] += w[SOUTH, i, j] * v
            b[c, i - 1, j] += w[SOUTH, i - 1, j] * v
            b[c, i + 1, j + 1] += w[SOUTH_EAST, i, j] * v
            b[c, i - 1, j - 1] += w[SOUTH_EAST, i - 1, j - 1] * v
            b[c, i + 1, j - 1] += w[SOUTH_WEST, i, j] * v
            b[c, i - 1, j + 1] += w[SOUTH_WEST, i - 1, j + 1] * v
        w[EAST, i, j] = w[EAST, i, j - 1] = w[SOUTH, i, j] = w[SOUTH, i - 1, j] = 0
        w[SOUTH_EAST, i, j] = w[SOUTH_EAST, i - 1, j - 1] = w[SOUTH_WEST, i, j] = w[SOUTH_WEST, i - 1, j + 1] = 0
    # Only now, for all of them: a known pixel beside a known one has collected couplings that mean nothing to it.
    for k in range(rows.size):
        d[rows[k], cols[k]] = 1
        for c in range(2):
            b[c, rows[k], cols[k]] = values[k, c]


# -------------------------------------------------------------------------------------- row kernels


@_inner
def _from_above(t, b, x, south, south_east, south_west):
    """``t = b +`` what the row above contributes; `x` and the weights are that row's."""
    for j in range(1, t.size - 1):
        t[j] = b[j] + south[j] * x[j] + south_east[j - 1] * x[j - 1] + south_west[j + 1] * x[j + 1]


@_inner
def _add_below(t, x, south, south_east, south_west):
    """Add what the row below contributes; `x` is that row's, the weights are the middle row's."""
    for j in range(1, t.size - 1):
        t[j] += south[j] * x[j] + south_east[j] * x[j + 1] + south_west[j] * x[j - 1]


@_inner
def _other_rows(t, b, x, w, i):
    """``t = b +`` what the rows above and below row `i` contribute."""
    _from_above(t, b, x[i - 1], w[SOUTH, i - 1], w[SOUTH_EAST, i - 1], w[SOUTH_WEST, i - 1])
    _add_below(t, x[i + 1], w[SOUTH, i], w[SOUTH_EAST, i], w[SOUTH_WEST, i])


@_inner
def _relax_columns(out, x, t, east, inverse, chosen):
    """Gauss-Seidel where ``chosen`` is 1, a copy where it is 0: all pixels are computed, in vector registers."""
    # A stride of two or a branch would leave the vector registers; computing twice as many pixels costs less. Pixels of
    # one colour are two apart, so none sees another's new value, and `out` need not be `x`.
    for j in range(1, x.size - 1):
        out[j] = x[j] + chosen[j] * ((t[j] + east[j] * x[j + 1] + east[j - 1] * x[j - 1]) * inverse[j] - x[j])


@_inner
def _residual_row(t, b, w, d, x, i):
    """``t = b - A x`` in row `i`."""
    _other_rows(t, b, x, w, i)
    row, east, own = x[i], w[EAST, i], d[i]
    for j in range(1, t.size - 1):
        t[j] += east[j] * row[j + 1] + east[j - 1] * row[j - 1] - own[j] * row[j]


@_inner
def _dot_row(x, y):
    # float32 is exact enough for one row, and twice as fast; whoever adds the rows does it in float64.
    total = float32(0)
    for j in range(1, x.size - 1):
        total += x[j] * y[j]
    return total


# ---------------------------------------------------------------------------------------- smoothing


@_inner
def _relax_row(w, d, x, b, i, lead, buffers):
    """Gauss-Seidel for one row, columns ``j % 2 == lead`` first."""
    t, y, inverse, own = buffers[0], buffers[1], buffers[2], d[i]
    # One division a pixel for two channels and two colours: divisions are the slowest arithmetic there is here.
    for j in range(own.size):
        inverse[j] = float32(1) / own[j]
    for c in range(x.shape[0]):
        _other_rows(t, b[c, i], x[c], w, i)
        _relax_columns(y, x[c, i], t, w[EAST, i], inverse, buffers[3 + lead])
        _relax_columns(x[c, i], y, t, w[EAST, i], inverse, buffers[4 - lead])


@_inner
def _restrict_row(out, above, here, below, p, k):
    # P^T collects what P hands out: the residual of the coarse pixel's own place in full, and of
    # the four midway pixels beside it the shares that they take from it. A forward sweep ends on
    # the pixels amid four coarse ones, so those have no residual left.
    #
    #       .       above * DOWN[k-1]      .
    #   RIGHT[m-1]        here           LEFT[m]
    #       .        below * UP[k]         .
    left, right, up, down = p[LEFT, k], p[RIGHT, k], p[UP, k], p[DOWN, k - 1]
    for m in range(1, out.size - 1):
        j = 2 * m - 1
        out[m] = here[j] + up[m] * below[j] + down[m] * above[j]
        out[m] += left[m] * here[j + 1] + right[m - 1] * here[j - 1]


@njit(void(_PLANES, _PLANE, _PLANES, _PLANES, _PLANES, _PLANES, *7 * [intp]), **_OPTIONS)
def smooth(w, d, x, b, p, coarse_b, lead, stages, restricts, top, bottom, first, last):
    """Two sweeps of four-colour Gauss-Seidel, and on demand the restriction ``P^T (b - A x)`` to `coarse_b`.

    A sweep is two stages: rows ``i % 2 == lead``, then the others, in each row the columns of the same parity first.
    Rows of one stage do not see each other. Row ``i`` of a stage is due as soon as rows ``i - 1`` and ``i + 1`` are
    through the stage before, so all `stages` (0 or `STAGES`), the residual and the restriction follow each other
    closely in one walk through memory. Restriction is right after forward sweeps only (``lead = 1``): they leave no
    residual amid four coarse pixels. The way back is `add_correction`.

    Each stage begins `top` rows below and ends `bottom` rows above the one before: 0 at the edges
    of the photo, 1 where the range ends inside it. The rows that so remain around the meeting point
    of two ranges are those of an empty range with -1 on both sides.
    """
    # Buffers: what other rows contribute, the row between its two colours, 1 / d, and the masks of the two colours.
    # Residuals of three rows are what one row of the restriction needs: a ring, so none is computed twice.
    buffers, residuals = np.zeros((5, x.shape[2]), np.float32), np.zeros((3, 2, x.shape[2]), np.float32)
    buffers[3, 0::2] = 1
    buffers[4, 1::2] = 1
    begin, end = first + stages * top, last - stages * bottom
    # A wave of six rows runs down the photo, and stays in the cache:
    #
    #   row           step    step - 1   step - 2   step - 3   step - 4   step - 5
    #   stage           0         1          2          3      residual   (kept)
    #   if its parity lead      other       lead      other
    for step in range(first, last + stages * (1 - bottom) + 1):
        for stage in range(stages):
            i = step - stage
            if first + stage * top <= i < last - stage * bottom and (i + stage) % 2 == lead:
                _relax_row(w, d, x, b, i, lead, buffers)
        i = step - stages
        # One row more at the lower edge of the photo: the last coarse row may have no fine row
        # below it, and takes that row of the border as a residual of zeros.
        if restricts and begin <= i < end + (bottom == 0):
            for c in range(x.shape[0]):
                if i < x.shape[1] - 1:
                    _residual_row(residuals[i % 3, c], b[c, i], w, d, x[c], i)
                else:
                    residuals[i % 3, c] = 0
                if i % 2 == 0 and (i - 2 >= begin or begin == 1):
                    above, here = residuals[(i - 2) % 3, c], residuals[(i - 1) % 3, c]
                    _restrict_row(coarse_b[c, i // 2], above, here, residuals[i % 3, c], p, i // 2)


# -------------------------------------------------------------------------------- between two grids


@_inner
def _share(side, other, middle):
    """A side's share of an interpolated pixel, in 0..1 whatever the signs of coarse couplings and rounding do."""
    # Galerkin products have couplings of the wrong sign here and there. Shares outside 0..1 would let the correction of
    # a coarse grid overshoot, the more the coarser it is. The diagonal and not the sum of both sides divides: a pixel
    # that a wish holds follows its neighbours less, and its shares sum to less than 1.
    side = max(side, float32(0))
    largest = max(middle, side + max(other, float32(0)))
    return side / largest if largest > 0 else float32(0)


@njit(void(_PLANES, _PLANES, _PLANES, _PLANE, intp, intp, intp), **_OPTIONS)
def interpolation(p, previous, w, d, has_previous, first, last):
    """Weights of the pixels between two coarse ones; `first` and `last` count coarse rows.

    Take a pixel midway between two coarse pixels of its row. Its equation, with the pixels above and below it
    eliminated (they lie amid four coarse pixels, and their own equation gives their value), couples it to the column on
    its left, the column on its right, and to the two like pixels of its own column, two rows up and down. All of a
    side's coupling goes to that side's coarse pixel (`LEFT`, `RIGHT`). Black-box multigrid gives the like pixels the
    same value as this one, and so does the first pass; further passes use the shares that they got in the `previous`
    pass. On texture finer than the coarse grid this is what keeps the coarse grids useful: shares then follow the
    thread that a pixel belongs to, not just its nearest neighbours. Pixels midway between two coarse pixels of their
    column (`UP`, `DOWN`) are treated alike, rows and columns exchanged.
    """
    # Coarse pixel (k, m) is fine pixel (2 k - 1, 2 m - 1). First the pixels that lie between two of
    # a row:
    #
    #              j - 1      j      j + 1
    #    i - 2       .      like       .
    #    i - 1       .     north       .      eliminated: `north` and `south` are what these
    #    i        (k, m)   pixel   (k, m+1)   pass on of what they get, coupling / diagonal
    #    i + 1       .     south       .
    #    i + 2       .      like       .
    #
    # `left` sums the pixel's own three couplings with column j - 1 and those that arrive through
    # north and south, `right` those with column j + 1. `far_n` and `far_s` couple it with the like
    # pixels. Indices that would leave the array are cut off at the border, where all couplings are
    # 0.
    width = w.shape[2]
    e, s, se, sw = w[EAST], w[SOUTH], w[SOUTH_EAST], w[SOUTH_WEST]
    for k in range(first, last):
        i = 2 * k - 1
        top = max(i - 2, 0)
        for m in range(1, (width - 2) // 2 + 1):
            j = 2 * m
            north, south = s[i - 1, j] / d[i - 1, j], s[i, j] / d[i + 1, j]
            far_n, far_s = max(north * s[top, j], float32(0)), max(south * s[i + 1, j], float32(0))
            middle = d[i, j] - north * s[i - 1, j] - south * s[i, j]
            left = e[i, j - 1] + se[i - 1, j - 1] + sw[i, j]
            left += north * (e[i - 1, j - 1] + sw[i - 1, j] + se[top, j - 1])
            left += south * (e[i + 1, j - 1] + se[i, j - 1] + sw[i + 1, j])
            right = e[i, j] + sw[i - 1, j + 1] + se[i, j]
            right += north * (e[i - 1, j] + se[i - 1, j] + sw[top, j + 1])
            right += south * (e[i + 1, j] + sw[i, j + 1] + se[i + 1, j])
            # A like pixel is the sum of its two shares times the coarse pixels in its row. Where these are not known
            # yet it counts as equal to this pixel: its coupling leaves the diagonal.
            if has_previous:
                left = max(left, float32(0)) + far_n * previous[LEFT, k - 1, m] + far_s * previous[LEFT, k + 1, m]
                right = max(right, float32(0)) + far_n * previous[RIGHT, k - 1, m] + far_s * previous[RIGHT, k + 1, m]
            else:
                middle -= far_n + far_s
            p[LEFT, k, m] = _share(left, right, middle)
            p[RIGHT, k, m] = _share(right, left, middle)
        # Then those between two of a column. If the height is odd there are none below the last coarse row.
        i = 2 * k
        for m in range(1, p.shape[2] - 1 if i < w.shape[1] - 1 else 1):
            j = 2 * m - 1
            far_left, far_right = max(j - 2, 0), min(j + 2, width - 1)
            west, east = e[i, j - 1] / d[i, j - 1], e[i, j] / d[i, j + 1]
            far_w, far_e = max(west * e[i, far_left], float32(0)), max(east * e[i, j + 1], float32(0))
            middle = d[i, j] - west * e[i, j - 1] - east * e[i, j]
            up = s[i - 1, j] + se[i - 1, j - 1] + sw[i - 1, j + 1]
            up += west * (s[i - 1, j - 1] + se[i - 1, far_left] + sw[i - 1, j])
            up += east * (s[i - 1, j + 1] + se[i - 1, j] + sw[i - 1, far_right])
            down = s[i, j] + se[i, j] + sw[i, j]
            down += west * (s[i, j - 1] + se[i, j - 1] + sw[i, j - 1])
            down += east * (s[i, j + 1] + se[i, j + 1] + sw[i, j + 1])
            if has_previous:
                up = max(up, float32(0)) + far_w * previous[UP, k, m - 1] + far_e * previous[UP, k, m + 1]
                down = max(down, float32(0)) + far_w * previous[DOWN, k, m - 1] + far_e * previous[DOWN, k, m + 1]
            else:
                middle -= far_w + far_e
            p[UP, k, m] = _share(up, down, middle)
            p[DOWN, k, m] = _share(down, up, middle)


@njit(void(_PLANES, _PLANE, _PLANES, _PLANE, _PLANES, intp, intp), **_OPTIONS)
def galerkin(coarse_w, coarse_d, w, d, p, first, last):
    """Coarse operator ``P^T A P``, again a 3x3 stencil.

    For each coarse pixel, its column of ``P`` (the hat ``at_*`` over 3x3 fine pixels) is multiplied by ``A`` (``y_*``)
    and that product by the columns of its neighbours. Fine pixels amid four coarse ones drop out: ``A P`` is 0 there.
    """
    # The hat of coarse pixel (k, m), which is fine pixel (i, j), and where its product with A
    # lives:
    #
    #                                   j-2    j-1     j     j+1    j+2
    #    at_nw  at_n  at_ne      i-2     C      -      C      -       C
    #    at_w    1    at_e       i-1     |      x      n      x      ene
    #    at_sw  at_s  at_se      i       C      w     here    e      ee
    #                            i+1    wsw     x      s      x      ese
    #                            i+2   (SW)    ssw     ss    sse    (SE)
    #
    #    C  coarse pixels: (k, m) in the middle, its neighbours around it, (SW) and (SE) among them
    #    -  midway between two coarse pixels of a row: shares LEFT and RIGHT, as w, e, ssw, sse
    #    |  midway between two of a column: shares UP and DOWN, as n, s, wsw, ene, ese
    #    x  amid four: their values are what their own equations ask for, so A P = 0 there
    #
    # An entry of P^T A P is the sum, over the fine pixels where the hat of another coarse pixel
    # lives, of that hat times y. The hat of the east neighbour (k, m + 1) covers ee with 1, ene and
    # ese with the shares of these midway pixels, e with its RIGHT share, and three x that add
    # nothing. The hat of the south neighbour covers ss, sse, ssw and s; that of the south-east one
    # (SE), sse and ese; that of the south-west one (SW), ssw and wsw. The other four neighbours are
    # the same numbers seen from the other side, so the rest of the ring is not computed. Couplings
    # are minus the entries: the y of the ring, where the hat is 0 and A has couplings only, are
    # written down with that sign already, y_e and y_s are not.
    width = w.shape[2]
    for k in range(first, last):
        i = 2 * k - 1
        e_up, e, e_dn = w[EAST, i - 1], w[EAST, i], w[EAST, i + 1]
        s_up, s, s_dn = w[SOUTH, i - 1], w[SOUTH, i], w[SOUTH, i + 1]
        se_up, se, se_dn = w[SOUTH_EAST, i - 1], w[SOUTH_EAST, i], w[SOUTH_EAST, i + 1]
        sw_up, sw, sw_dn = w[SOUTH_WEST, i - 1], w[SOUTH_WEST, i], w[SOUTH_WEST, i + 1]
        for m in range(1, p.shape[2] - 1):
            j = 2 * m - 1
            # Beyond the border couplings are 0: any pixel of it may stand for the next.
            right, left = min(j + 2, width - 1), max(j - 2, 0)
            # The pixel to the east has this coarse pixel on its left, and so on round.
            at_e, at_w, at_s, at_n = p[LEFT, k, m], p[RIGHT, k, m - 1], p[UP, k, m], p[DOWN, k - 1, m]
            # An x is what its own equation makes of the three pixels of the hat beside it.
            at_se = (se[j] + s[j + 1] * at_e + e_dn[j] * at_s) / d[i + 1, j + 1]
            at_sw = (sw[j] + s[j - 1] * at_w + e_dn[j - 1] * at_s) / d[i + 1, j - 1]
            at_ne = (sw_up[j + 1] + s_up[j + 1] * at_e + e_up[j] * at_n) / d[i - 1, j + 1]
            at_nw = (se_up[j - 1] + s_up[j - 1] * at_w + e_up[j - 1] * at_n) / d[i - 1, j - 1]
            y_here = (
                d[i, j] - e[j] * at_e - e[j - 1] * at_w - s[j] * at_s - s_up[j] * at_n
                - se[j] * at_se - sw[j] * at_sw - sw_up[j + 1] * at_ne - se_up[j - 1] * at_nw
            )  # fmt: skip
            y_e = (
                d[i, j + 1] * at_e - e[j] - s[j + 1] * at_se - s_up[j + 1] * at_ne
                - sw[j + 1] * at_s - se_up[j] * at_n
            )  # fmt: skip
            y_w = (
                d[i, j - 1] * at_w - e[j - 1] - s[j - 1] * at_sw - s_up[j - 1] * at_nw
                - se[j - 1] * at_s - sw_up[j] * at_n
            )  # fmt: skip
            y_s = (
                d[i + 1, j] * at_s - s[j] - e_dn[j] * at_se - e_dn[j - 1] * at_sw
                - sw[j + 1] * at_e - se[j - 1] * at_w
            )  # fmt: skip
            y_n = (
                d[i - 1, j] * at_n - s_up[j] - e_up[j] * at_ne - e_up[j - 1] * at_nw
                - se_up[j] * at_e - sw_up[j] * at_w
            )  # fmt: skip
            y_ee = e[j + 1] * at_e + se_up[j + 1] * at_ne + sw[right] * at_se
            y_ese = se[j + 1] * at_e + e_dn[j + 1] * at_se
            y_ene = sw_up[right] * at_e + e_up[j + 1] * at_ne
            y_ss = s_dn[j] * at_s + se_dn[j - 1] * at_sw + sw_dn[j + 1] * at_se
            y_sse = se_dn[j] * at_s + s_dn[j + 1] * at_se
            y_ssw = sw_dn[j] * at_s + s_dn[j - 1] * at_sw
            y_wsw = sw[j - 1] * at_w + e_dn[left] * at_sw
            coarse_d[k, m] = y_here + at_e * y_e + at_w * y_w + at_s * y_s + at_n * y_n
            coarse_w[EAST, k, m] = (
                y_ee + p[UP, k, m + 1] * y_ese + p[DOWN, k - 1, m + 1] * y_ene
                - p[RIGHT, k, m] * y_e
            )  # fmt: skip
            coarse_w[SOUTH, k, m] = (
                y_ss + p[LEFT, k + 1, m] * y_sse + p[RIGHT, k + 1, m - 1] * y_ssw
                - p[DOWN, k, m] * y_s
            )  # fmt: skip
            coarse_w[SOUTH_EAST, k, m] = (
                se_dn[j + 1] * at_se + p[DOWN, k, m + 1] * y_ese + p[RIGHT, k + 1, m] * y_sse
            )  # fmt: skip
            coarse_w[SOUTH_WEST, k, m] = (
                sw_dn[j - 1] * at_sw + p[DOWN, k, m - 1] * y_wsw + p[LEFT, k + 1, m - 1] * y_ssw
            )  # fmt: skip


@njit(void(_PLANES, _PLANES, _PLANES, intp, intp), **_OPTIONS)
def add_correction(x, coarse_x, p, first, last):
    """``x += P coarse_x``, except amid four coarse pixels, where the backward sweep that follows starts anyway."""
    for c in range(x.shape[0]):
        for k in range(first, last):
            here, below, row, next_row = coarse_x[c, k], coarse_x[c, k + 1], x[c, 2 * k - 1], x[c, 2 * k]
            left, right, up, down = p[LEFT, k], p[RIGHT, k], p[UP, k], p[DOWN, k]
            for m in range(1, here.size - 1):
                row[2 * m - 1] += here[m]
                next_row[2 * m - 1] += up[m] * here[m] + down[m] * below[m]
            for m in range(1, (row.size - 2) // 2 + 1):
                row[2 * m] += left[m] * here[m] + right[m] * here[m + 1]


# ------------------------------------------------------------------------------ conjugate gradients


@njit(void(_SUMS, _PLANES, _PLANES, _PLANE, _PLANES, intp, intp), **_OPTIONS)
def apply(sums, out, w, d, x, first, last):
    """``out = A x`` and, per row, ``x . A x``."""
    # As the residual of b = 0 with the sign turned: a second copy of the stencil would be compiled for nothing.
    nothing = np.zeros(x.shape[2], np.float32)
    for i in range(first, last):
        for c in range(x.shape[0]):
            row = out[c, i]
            _residual_row(row, nothing, w, d, x[c], i)
            for j in range(1, row.size - 1):
                row[j] = -row[j]
            sums[c, i] = _dot_row(x[c, i], row)


# With all of fastmath, for the largest of a row can be found in vector registers only if NaN need
# not be looked for. The caller notices NaN elsewhere: r . z is then not at least 0.
@njit(nogil=True, fastmath=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _step_row(x, r, p, q, alpha):
    largest = float32(0)
    for j in range(1, x.size - 1):
        x[j] += alpha * p[j]
        largest = max(largest, abs(p[j]))
    for j in range(1, x.size - 1):
        r[j] -= alpha * q[j]
    return largest * abs(alpha)


@njit(void(_SUMS, _SUMS, _PLANES, _PLANES, _PLANES, _PLANES, float64[::1], intp, intp), **_OPTIONS)
def step(sums, moves, x, r, p, q, alpha, first, last):
    """``x += alpha p; r -= alpha q``; per row ``r . r`` and the largest change of x."""
    for i in range(first, last):
        for c in range(x.shape[0]):
            moves[c, i] = _step_row(x[c, i], r[c, i], p[c, i], q[c, i], float32(alpha[c]))
            sums[c, i] = _dot_row(r[c, i], r[c, i])


@njit(void(_SUMS, _PLANES, _PLANES, intp, intp), **_OPTIONS)
def dot(sums, x, y, first, last):
    """Per row ``x . y``."""
    for i in range(first, last):
        for c in range(x.shape[0]):
            sums[c, i] = _dot_row(x[c, i], y[c, i])


@njit(void(_PLANES, _PLANES, float64[::1], intp, intp), **_OPTIONS)
def turn(p, z, beta, first, last):
    """``p = z + beta p``: the next search direction."""
    for i in range(first, last):
        for c in range(p.shape[0]):
            row, new, scale = p[c, i], z[c, i], float32(beta[c])
            for j in range(1, row.size - 1):
                row[j] = new[j] + scale * row[j]
