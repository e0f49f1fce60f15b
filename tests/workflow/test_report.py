"""The report of a study in a real browser, and Snakemake's own report."""

import re
import shutil
import zipfile

import pandas as pd
import pytest

RESULTS = "results/small"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module")
def browser():
    selenium = pytest.importorskip("selenium", reason="selenium is not installed")
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium and chromedriver are not installed")
    from selenium import webdriver

    assert selenium
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # The wait for a page to be complete includes its images.
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, small):
    browser.get_log("browser"), browser.get_log("performance")
    browser.get((small.folder / RESULTS / "report.html").resolve().as_uri())
    return browser


def test_no_console_errors_and_no_request_but_its_own(page):
    assert page.get_log("browser") == []
    requests = re.findall(
        r'"Network\.requestWillBeSent".*?"request":\{.*?"url":"(.*?)"',
        "\n".join(entry["message"] for entry in page.get_log("performance")),
    )
    assert requests, "the log of the network is empty: the test sees nothing"
    assert {url.split(":")[0] for url in requests} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in requests) == 1


def test_all_images_load_and_say_what_they_show(page, small):
    images = page.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.alt])"
    )
    figures = small.folder / RESULTS / "figures"
    drawn = [path for path in figures.rglob("*.png") if path.parent.name != "geometry"]
    assert len(images) == len(drawn)
    assert all(complete and width > 400 and alt for complete, width, alt in images)


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_reaches_out_of_the_page(page, width):
    # Mobile emulation: a window of a desktop cannot be as narrow as a phone.
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for details in page.find_elements("css selector", "details"):
        page.execute_script("arguments[0].open = true", details)
    found = page.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth, "
        "parseFloat(getComputedStyle(document.body).fontSize)]"
    )
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert found[0] <= found[1] == width
    assert found[2] >= 16


def test_tables_sort_by_a_click(page):
    table = page.find_element("css selector", "#tables table")
    header = next(
        th for th in table.find_elements("css selector", "th") if th.text.startswith("mean")
    )
    column = table.find_elements("css selector", "th").index(header)

    def values():
        cells = table.find_elements("css selector", f"tbody td:nth-child({column + 1})")
        return [float(c.get_attribute("data-key")) for c in cells]

    button = header.find_element("css selector", "button")
    page.execute_script("arguments[0].click()", button)
    assert values() == sorted(values())
    assert header.get_attribute("aria-sort") == "ascending"
    page.execute_script("arguments[0].click()", button)
    assert values() == sorted(values(), reverse=True)
    assert len(set(values())) > 2


def test_the_answer_is_that_of_the_tables(page, small):
    advice = pd.read_parquet(small.folder / RESULTS / "tables/advice.parquet")
    rows = page.find_elements("css selector", "#answer tbody tr")
    assert len(rows) == len(advice)
    decided = page.execute_script(
        "return [...document.querySelectorAll('#answer tbody tr')].filter("
        "r => r.innerText.includes('take ')).length"
    )
    assert decided == advice.decided.sum()
    headings = [h.text for h in page.find_elements("css selector", "h2")]
    assert headings == ["The answer", "The data", "The protocol", "Figures", "Tables", "Provenance"]


def test_snakemake_makes_its_own_report_with_all_captions(small):
    small.run("--configfile", "small.yaml", "--report", "snakemake-report.zip")
    with zipfile.ZipFile(small.folder / "snakemake-report.zip") as archive:
        names = archive.namelist()
        (index,) = [name for name in names if name.endswith("report.html")]
        text = archive.read(index).decode()
    drawn = list((small.folder / RESULTS / "figures").rglob("*.png"))
    assert sum(name.endswith(".png") for name in names) == len(drawn)
    for words in ("exponential fit", "independent random points reach", "rooks that may not"):
        assert words in text
