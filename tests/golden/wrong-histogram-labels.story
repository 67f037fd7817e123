# A label that the histograms would bear twice is refused: no scraper would take the page.
args: --once --format common --histogram-labels method,method
stderr:
--histogram-labels: method is given twice
exit: 2
