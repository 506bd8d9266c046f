"""Two boxes and their IoU, to play with: plain SVG and a little script, which works on Colab and in print."""

from helpers.boxes import iou

_FIXED = (70, 60, 190, 150)
_START = (110, 80, 230, 170)
_PAGE = """<figure class="iou-slider" style="margin:0;max-width:36em;font:14px sans-serif">
<svg viewBox="0 0 300 220" role="img" style="width:100%;max-width:30em;border:1px solid #888;background:#fff"
 aria-label="Two boxes of the same size, one moved to the lower right of the other, and the part that they share">
<g fill-opacity=".25" stroke-width="2">
<rect data-a x="70" y="60" width="120" height="90" fill="#D55E00" stroke="#D55E00"/>
<rect data-b x="110" y="80" width="120" height="90" fill="#0072B2" stroke="#0072B2"/>
</g>
<rect data-both x="110" y="80" width="80" height="70" fill="#000" fill-opacity=".35"/>
<text x="8" y="18" font-size="14" fill="#000" data-said>IoU = 5600 / 16000 = 0.350</text>
<text x="8" y="212" font-size="11" fill="#333">orange: the true box, blue: the predicted one, dark: both</text>
</svg>
<div data-controls hidden style="display:none">
<label>right / left <input type="range" data-x min="0" max="180" value="110"></label>
<label>down / up <input type="range" data-y min="0" max="130" value="80"></label>
<label>width <input type="range" data-w min="10" max="200" value="120"></label>
<label>height <input type="range" data-h min="10" max="160" value="90"></label>
</div>
<figcaption>Which hurts more: 20 pixels to the side, or a box that is 20 pixels too wide?
On paper: moved by 10, 20, 40 and 60 pixels to the side, the blue box has an IoU of @MOVED@.</figcaption>
<script>(function () {
  const all = document.querySelectorAll('figure.iou-slider');
  all.forEach(function (figure) {
    if (figure.dataset.ready) return;
    figure.dataset.ready = '1';
    const get = function (name) { return figure.querySelector('[data-' + name + ']'); };
    const number = function (name) { return Number(get(name).value); };
    const controls = get('controls');
    controls.hidden = false;
    controls.style.display = 'flex';
    controls.style.flexWrap = 'wrap';
    controls.style.gap = '4px 16px';
    const draw = function () {
      const x = number('x'), y = number('y'), w = number('w'), h = number('h');
      const left = Math.max(70, x), top = Math.max(60, y);
      const wide = Math.max(0, Math.min(190, x + w) - left), high = Math.max(0, Math.min(150, y + h) - top);
      const shared = wide * high, union = 120 * 90 + w * h - shared;
      const put = function (name, values) {
        Object.keys(values).forEach(function (key) { get(name).setAttribute(key, values[key]); });
      };
      put('b', {x: x, y: y, width: w, height: h});
      put('both', {x: left, y: top, width: shared ? wide : 0, height: shared ? high : 0});
      get('said').textContent = 'IoU = ' + shared + ' / ' + union + ' = ' + (shared / union).toFixed(3);
    };
    controls.addEventListener('input', draw);
    draw();
  });
})();</script>
</figure>"""


class IoUSlider:
    """Shows itself in a notebook; printed, it says what it shows."""

    def _repr_html_(self) -> str:
        left, top, right, bottom = _FIXED
        moved = [iou(_FIXED, (left + by, top, right + by, bottom)) for by in (10, 20, 40, 60)]
        return _PAGE.replace("@MOVED@", ", ".join(f"{float(value):.2f}" for value in moved))

    def __repr__(self) -> str:
        return f"Two boxes, {_FIXED} and {_START}: IoU {float(iou(_FIXED, _START)):.3f}"


def iou_slider() -> IoUSlider:
    """Return two boxes, one of which can be moved and resized, with their IoU; a still picture on paper."""
    return IoUSlider()
