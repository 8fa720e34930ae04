//! The drill's report in a real browser, in both schemes, on a desktop and on a phone.

use crate::support::browser::{Browser, Scheme};
use kafkastack::drill::report::Report;

/// A drill's report, as the documentation shows it.
const SHOWN: &str = include_str!("../docs/images/drill.json");
const SIZES: [(u32, u32); 2] = [(1100, 900), (360, 740)];

/// The document, with names that have no place to break at.
fn wide() -> Report {
    let mut report = Report::parse(SHOWN).expect("the documentation's report");
    let long = "an-uncommonly-long-name-".repeat(6);
    report.subject = format!("{long}/{long}");
    report.settings.topic = long.clone();
    report.verdict.reasons = vec![long.clone(), "20 records acknowledged and lost: partition 1: 700 to 719".into()];
    report.verdict.passed = false;
    report.steps.iter_mut().for_each(|step| step.target = long.clone());
    report.timeline.zookeeper.iter_mut().for_each(|lane| lane.name = long.clone());
    report
}

/// What a page says of itself, one complaint a line: what is wider than the window, what is cut off, what can hardly be read.
const MEASURE: &str = r"<pre id=complaints hidden></pre><script>
const complaints = [], width = document.documentElement.clientWidth;
const rgba = (text) => { const n = text.match(/[\d.]+/g).map(Number); return { c: n.slice(0, 3), a: n.length > 3 ? n[3] : 1 }; };
const over = (top, alpha, base) => base.map((c, i) => alpha * top[i] + (1 - alpha) * c);
const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((x, y) => x - y); return (y + 0.05) / (x + 0.05); };
const behind = (element) => {
  const svg = element.previousElementSibling;
  if (element.tagName === 'text' && svg && ['rect', 'circle'].includes(svg.tagName) && !element.matches('.length')) {
    const style = getComputedStyle(svg);
    return over(rgba(style.fill).c, Number(style.fillOpacity), behind(element.ownerSVGElement));
  }
  for (let at = element; at; at = at.parentElement) {
    const color = rgba(getComputedStyle(at).backgroundColor);
    if (color.a === 1) return color.c;
  }
  return [255, 255, 255];
};
if (document.documentElement.scrollWidth > width) complaints.push(`the page is ${document.documentElement.scrollWidth} wide`);
let texts = 0;
for (const element of document.querySelectorAll('body *')) {
  const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join('').trim();
  const box = element.getBoundingClientRect();
  if (!text || !box.width || ['SCRIPT', 'STYLE', 'title'].includes(element.tagName)) continue;
  texts += 1;
  if (box.left < -0.5 || box.right > width + 0.5) complaints.push(`cut off: ${text}`);
  const style = getComputedStyle(element), color = rgba(element.tagName === 'text' ? style.fill : style.color).c;
  const ratio = contrast(color, behind(element));
  if (ratio < 4.5) complaints.push(`contrast ${ratio.toFixed(1)}: ${text}`);
}
if (texts < 60) complaints.push(`only ${texts} texts`);
document.getElementById('complaints').textContent = complaints.join('\n') || 'none';
</script></body>";

#[test]
fn a_report_is_readable_on_a_desktop_and_on_a_phone_in_light_and_dark() {
    let Some(browser) = Browser::find("a report in a browser") else { return };
    for report in [Report::parse(SHOWN).expect("the documentation's report"), wide()] {
        let page = report.html().replace("</body>", MEASURE);
        for (width, height) in SIZES {
            for scheme in [Scheme::Light, Scheme::Dark] {
                let (dom, console) = browser.dom(&page, width, height, scheme);
                assert_eq!(console, "", "{width} {scheme:?}");
                let complaints = dom.split_once("<pre id=\"complaints\" hidden=\"\">").expect("the script ran").1;
                assert_eq!(complaints.split_once("</pre>").unwrap().0, "none", "{width} {scheme:?}");
            }
        }
    }
}

#[test]
fn the_measure_finds_what_is_wrong() {
    let Some(browser) = Browser::find("the measure of a report") else { return };
    let page = Report::parse(SHOWN).expect("the documentation's report").html();
    let bad =
        "<p style='color:#888;background:#999'>pale</p><p style='width:500px'>wide</p><script>console.log('noise')</script>";
    let page = page.replace("</body>", &format!("{bad}{MEASURE}"));
    let (dom, console) = browser.dom(&page, 360, 740, Scheme::Light);
    let found = ["the page is 5", "cut off: wide", "contrast 1.2: pale"].map(|complaint| dom.contains(complaint));
    assert_eq!(found, [true; 3], "{}", dom.rsplit("<pre id").next().unwrap());
    assert!(console.contains("noise"), "{console}");
}

#[test]
fn a_screenshot_shows_something() {
    let Some(browser) = Browser::find("a screenshot of a report") else { return };
    let shot = |page: &str| browser.screenshot(page, 800, 900, Scheme::Light).len();
    let (blank, report) = (shot("<!doctype html>"), shot(&Report::parse(SHOWN).expect("the documentation's report").html()));
    assert!(report > 10 * blank, "{report} bytes; a blank page has {blank}");
}
