//! The page report.html: what it shows is what the CSV files hold, it is text where others wrote it, and a browser opens
//! it without a complaint and without asking for anything.

#[path = "../cli_common/mod.rs"]
mod cli_common;

mod browser;

use browser::Browser;
use cli_common::{Bench, Rows, column};
use moe_theory::record::manifest::sha256;
use serde_json::Value;
use std::fs;

/// A simulation that fills every figure of the page, in seconds.
const EVERY_FIGURE: &str = r#"name = "figures"
aims = "Fills <b>every</b> figure & label"
seeds = 25
[data]
tokens = 5
[model]
experts = 6
neurons = 4
tokens_per_expert = 2
[pretrained]
relevant_per_class = 1
[training]
batch = 20
iterations = 40
expert_rate = 0.6
[pruning]
finetune_iterations = 5
finetune_kept = [3, 2]
[certificate]
nodes = 20
[roles]
proficiency_samples = 20
[evaluation]
samples = 50
[record]
trajectory_runs = 2
half_batches = true
[grid]
"data.patterns" = [12, 16, 24, 32]
"pretrained.neuron_scale" = [0.1, 1.0]
[[claim]]
id = "T0"
on = "all"
expect = "SUPPORTED"
[[claim]]
id = "T1a"
threshold = 0.05
on = "all"
[[claim]]
id = "T1b"
on = "all"
roles = "built"
[[claim]]
id = "T2ax"
on = "all"
expect = "REFUTED"
[[phase]]
claims = [{ id = "T2a" }, { id = "T1c" }]
x = "pretrained.neuron_scale"
y = "data.patterns"
"#;

/// The same without the second parameter: a map of one.
const ONE_PARAMETER: &str = "\"pretrained.neuron_scale\" = [0.1, 1.0]\n";

/// A folder in which the simulation has been run.
fn finished() -> Bench {
    let bench = Bench::new();
    bench.write("figures.toml", EVERY_FIGURE);
    bench.succeeds("run figures.toml --quiet --out out");
    bench
}

/// The figures' data in a page.
fn charts(page: &str) -> Vec<Value> {
    let begin = page.find("type=\"application/json\">").expect("data") + "type=\"application/json\">".len();
    let end = begin + page[begin..].find("</script>").expect("an end");
    serde_json::from_str(&page[begin..end]).expect("JSON")
}

/// The card of a claim in a page.
fn card<'a>(page: &'a str, number: &str) -> &'a str {
    let begin = page.find(&format!("id=\"claim-{number}\"")).expect("a card");
    &page[begin..begin + page[begin..].find("</article>").expect("an end")]
}

/// The rows that state the verdicts: the last of each number.
fn conclusions(claims: &Rows) -> Rows {
    let last = |place: usize| claims.get(place + 1).is_none_or(|next| next["number"] != claims[place]["number"]);
    (0..claims.len()).filter(|place| last(*place)).map(|place| claims[place].clone()).collect()
}

#[test]
fn numbers_and_verdicts_are_those_of_the_csv() {
    let bench = finished();
    let (page, claims) = (bench.read("out/report.html"), bench.rows("out/claims.csv"));
    assert!(claims.len() > 12, "{} rows", claims.len());
    for row in conclusions(&claims) {
        let card = card(&page, &row["number"]);
        let head = &card[..card.find("</header>").expect("a header")];
        assert!(head.contains(&format!("</span> {}</span>", row["verdict"])), "{head}");
        assert!(head.contains(&format!("<h4>{}</h4>", row["claim"])), "{head}");
        assert_eq!(head.contains("class=\"surprise\""), !row["verdict"].starts_with(&row["expected"]), "{head}");
    }
    let parts: Vec<_> = claims.iter().filter(|row| row["part"] != "all").collect();
    for number in conclusions(&claims).iter().map(|row| &row["number"]) {
        let shown = table(card(&page, number));
        let own: Vec<_> = parts.iter().filter(|row| row["number"] == *number).collect();
        assert_eq!(shown.len(), own.len());
        for (cells, row) in shown.iter().zip(own) {
            let texts = [(0, "part"), (2, "holds"), (3, "runs"), (10, "verdict")];
            texts.iter().for_each(|(place, column)| assert_eq!(cells[*place], row[*column], "{column}"));
            let numbers =
                [(4, "estimate"), (5, "ci_low"), (6, "ci_high"), (7, "threshold"), (8, "level"), (9, "p_holm")];
            for (place, column) in numbers {
                assert_eq!(value(&cells[place]), row[column].parse().ok(), "{column}: {}", cells[place]);
            }
        }
    }
    // A claim of one part has its numbers in a sentence too.
    bench.succeeds("run tiny.toml --quiet --out one");
    let page = bench.read("one/report.html");
    for row in bench.rows("one/claims.csv") {
        let card = card(&page, &row["number"]);
        let begin = card.find("class=\"numbers\"").expect("numbers");
        let sentence = &card[begin..begin + card[begin..].find("</p>").expect("an end")];
        let shown: Vec<f64> = sentence.split("<data ").skip(1).filter_map(value).collect();
        let columns = ["estimate", "holds", "runs", "ci_low", "ci_high", "level", "median"];
        let own: Vec<f64> = columns.iter().filter_map(|column| row[*column].parse().ok()).collect();
        assert_eq!(shown, own, "{sentence}");
    }
}

/// The cells of the table in a card.
fn table(card: &str) -> Vec<Vec<String>> {
    let body = &card[card.find("<tbody>").expect("a table")..card.find("</tbody>").expect("an end")];
    let cells = |row: &str| {
        let cell =
            |text: &str| text[text.find('>').map_or(0, |end| end + 1)..].replace("</td>", "").replace("</tr>", "");
        row.split("<td").skip(1).map(cell).collect()
    };
    body.split("<tr>").skip(1).map(cells).collect()
}

/// The exact value behind a number of the page.
fn value(text: &str) -> Option<f64> {
    let begin = text.find("value=\"")? + "value=\"".len();
    text[begin..begin + text[begin..].find('"')?].parse().ok()
}

#[test]
fn each_figure_has_its_data() {
    let bench = finished();
    let charts = charts(&bench.read("out/report.html"));
    let ids: Vec<&str> = charts.iter().map(|chart| chart["id"].as_str().expect("an id")).collect();
    let all = ["norms", "delta-displacement", "scaling", "proficiency", "pruning", "phase", "certificates", "margins"];
    assert_eq!(ids, all);
    for chart in &charts {
        let options = chart["selects"]
            .as_array()
            .expect("selects")
            .iter()
            .map(|select| select["options"].as_array().map_or(0, Vec::len));
        let views = chart["views"].as_array().expect("views");
        assert_eq!(views.len(), options.product::<usize>(), "{}", chart["id"]);
        for group in views.iter().flat_map(|view| view["groups"].as_array().into_iter().flatten()) {
            let lengths: Vec<usize> =
                ["x", "y", "low", "high"].iter().filter_map(|name| group[*name].as_array().map(Vec::len)).collect();
            let none = group["note"].as_str().is_some_and(|note| note.starts_with("no slope"));
            assert!((lengths[0] > 0 || none) && lengths.iter().all(|length| *length == lengths[0]), "{group}");
        }
    }
    // The accuracy of the unpruned models at point 0, computed again.
    let pruning = bench.rows("out/pruning.csv");
    let unpruned = |row: &&std::collections::BTreeMap<String, String>| {
        row["point"] == "0" && row["kept"] == "6" && row["finetuned"] == "false"
    };
    let accuracies: Vec<f64> =
        pruning.iter().filter(unpruned).map(|row| row["accuracy"].parse().expect("a number")).collect();
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    let shown = charts[4]["views"][0]["groups"][0]["y"][0].as_f64().expect("a number");
    assert!((shown - mean).abs() < 1e-4 * mean, "{shown} in place of {mean}");
    // Every cell of a map, with its share.
    let phase = bench.rows("out/phase.csv");
    let cells: usize = charts[5]["views"]
        .as_array()
        .expect("views")
        .iter()
        .map(|view| view["heat"]["cells"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(cells, phase.len());
    // Every certificate counts once.
    let certified = pruning
        .iter()
        .filter(|row| row["point"] == "0" && row["kept"] == "6" && row["certificate"] == "CERTIFIED")
        .count();
    let share = charts[6]["views"][0]["groups"][0]["y"][0].as_f64().expect("a number");
    assert!((share - certified as f64 / 25.0).abs() < 1e-4, "{share} in place of {certified} of 25");
}

#[test]
fn a_map_of_one_parameter_is_drawn_as_a_curve() {
    let bench = Bench::new();
    let text =
        EVERY_FIGURE.replace(ONE_PARAMETER, "").replace("x = \"pretrained.neuron_scale\"\ny = \"data.patterns\"\n", "");
    bench.write("one.toml", text);
    bench.succeeds("run one.toml --quiet --out out --seeds 5");
    let charts = charts(&bench.read("out/report.html"));
    let curves = charts.iter().find(|chart| chart["id"] == "curves").expect("curves");
    let shown =
        |view: usize| curves["views"][view]["groups"][0]["y"].as_array().expect("numbers").iter().map(|y| y.as_f64());
    let phase = bench.rows("out/phase.csv");
    let estimates: Vec<Option<f64>> = column(&phase, "estimate").iter().map(|text| text.parse().ok()).collect();
    assert_eq!(shown(0).chain(shown(1)).collect::<Vec<_>>(), estimates);
}

#[test]
fn the_page_is_made_again_from_the_files_alone() {
    let bench = finished();
    let before = bench.read("out/report.html");
    fs::remove_file(bench.path("out/report.html")).expect("the page is there");
    assert_eq!(bench.succeeds("report out"), "out/report.html\n");
    assert!(before == bench.read("out/report.html"), "another page");
}

#[test]
fn a_folder_without_results_is_refused() {
    let bench = Bench::new();
    let done = bench.simulate("report nowhere");
    assert_eq!(done.status, Some(2));
    assert!(done.stderr.contains("nowhere/manifest.json"), "{}", done.stderr);
    let bench = finished();
    fs::remove_file(bench.path("out/experts.csv")).expect("a file");
    let before = bench.files_below("out");
    let done = bench.simulate("report out");
    assert_eq!((done.status, bench.files_below("out") == before), (Some(2), true));
    assert!(done.stderr.contains("out/experts.csv"), "{}", done.stderr);
}

/// Puts a script where words of a folder's tables stand, with fitting hashes, and where the falsifier's files do.
fn make_hostile(bench: &Bench) {
    let script = "<script>window.hacked = 1</script>";
    for (table, word) in
        [("pruning.csv", "router-norm-change"), ("claims.csv", "SUPPORTED"), ("phase.csv", "neuron_scale")]
    {
        let path = format!("out/{table}");
        let (old, new) = (bench.read(&path), bench.read(&path).replace(word, script));
        assert_ne!(old, new);
        bench.write(&path, &new);
        let manifest = bench.read("out/manifest.json");
        bench.write("out/manifest.json", manifest.replace(&sha256(old.as_bytes()), &sha256(new.as_bytes())));
    }
    bench.write("out/falsify-T1c.toml", format!("name = \"{script}</pre><img src=x onerror=hacked=1>\"\n"));
    assert_eq!(bench.simulate("report out").status, Some(0));
}

#[test]
fn names_from_the_files_are_text() {
    let bench = finished();
    make_hostile(&bench);
    let page = bench.read("out/report.html");
    // The page's own: the data, two libraries, and the script that draws.
    assert_eq!(page.matches("<script").count(), 4);
    assert!(!page.contains("<img"));
    assert!(page.contains("&lt;script&gt;window.hacked = 1&lt;/script&gt;"), "a verdict");
    assert!(page.contains("name = &quot;&lt;script&gt;"), "the falsifier's file");
}

#[test]
fn a_browser_shows_the_page_in_both_widths_and_schemes() {
    let Some(chromium) = browser::chromium() else { return };
    let bench = finished();
    let page = bench.path("out/report.html");
    let claims = bench.rows("out/claims.csv");
    let expected: Vec<String> = conclusions(&claims).iter().map(|row| row["verdict"].clone()).collect();
    let mut browser = Browser::start(&chromium);
    for (width, scheme) in [(400, "light"), (1400, "light"), (400, "dark"), (1400, "dark")] {
        let opened = browser.open(&page, width, scheme);
        assert_eq!(opened.complaints, Vec::<String>::new(), "{width} {scheme}");
        assert_eq!(opened.requests, [format!("file://{}", page.display())], "{width} {scheme}");
        let wide = browser.evaluate("document.documentElement.scrollWidth").as_f64().expect("a width");
        assert!(wide <= f64::from(width), "{width} {scheme}: the page is {wide} wide");
        let shown = browser
            .evaluate("[...document.querySelectorAll('.claim .verdict')].map(v => v.innerText.replace(/^\\S+ /, ''))");
        assert_eq!(shown, serde_json::json!(expected));
        check_figures(&mut browser, &format!("{width} {scheme}"));
        let light = browser.evaluate("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'");
        assert_eq!(light, scheme == "light", "{width} {scheme}");
        browser.photograph(&format!("report-{width}-{scheme}.png"));
    }
}

/// Every figure is drawn within its place, and its table has a row for each number of its data.
fn check_figures(browser: &mut Browser, what: &str) {
    let drawn = "[...document.querySelectorAll('figure')].map(f => {
        const svg = f.querySelector('.plot svg'), place = f.getBoundingClientRect(), box = svg.getBoundingClientRect();
        f.querySelector('details').open = true;
        const view = JSON.parse(document.getElementById('data').textContent).find(chart => chart.id === f.id).views[0];
        const points = (view.groups ?? []).filter(group => /[po]/.test(group.parts)).reduce((sum, group) => sum + group.x.length, 0);
        const own = view.heat ? view.heat.cells.length : points;
        const drawn = svg.querySelectorAll(view.heat ? '[aria-label=rect] rect' : '[aria-label=dot] > *').length;
        return [f.id, drawn, own, box.left >= place.left - 1 && box.right <= place.right + 1, svg.innerHTML.includes('NaN')];
    })";
    let figures = browser.evaluate(drawn);
    let figures = figures.as_array().expect("figures");
    assert_eq!(figures.len(), 8, "{what}");
    for figure in figures {
        assert!(figure[1] == figure[2] && figure[1].as_u64() > Some(0), "{what}: {figure}");
        assert!(figure[3] == true && figure[4] == false, "{what}: {figure}");
    }
    let tables = "new Promise(done => setTimeout(() => done(JSON.parse(document.getElementById('data').textContent).map(chart => {
        const view = chart.views[0], rows = document.querySelectorAll(`#${chart.id} tbody tr`).length;
        const own = (view.heat?.cells.length ?? 0) + (view.groups ?? []).reduce((sum, group) => sum + group.x.length, 0);
        return [chart.id, rows, own];
    })), 50))";
    for table in browser.evaluate(tables).as_array().expect("tables") {
        assert!(table[1] == table[2] && table[1].as_u64() > Some(0), "{what}: {table}");
    }
}

#[test]
fn a_browser_shows_values_on_hover_and_single_runs_on_demand() {
    let Some(chromium) = browser::chromium() else { return };
    let bench = finished();
    let mut browser = Browser::start(&chromium);
    browser.open(&bench.path("out/report.html"), 1400, "light");
    let place = browser.evaluate(
        "(() => { const plot = document.querySelector('#pruning .plot svg'); plot.scrollIntoView();
            const dot = plot.querySelector('[aria-label=dot] path, [aria-label=dot] circle').getBoundingClientRect();
            return [dot.left + dot.width / 2, dot.top + dot.height / 2]; })()",
    );
    browser.point_at(place[0].as_f64().expect("x") + 1.0, place[1].as_f64().expect("y") + 1.0);
    let lines = "[...document.querySelectorAll('#pruning .plot [aria-label=tip] tspan')].map(line => line.textContent)";
    let tip = browser.evaluate(lines);
    let shown = charts(&bench.read("out/report.html"))[4]["views"][0]["groups"][0]["y"][0].as_f64().expect("a number");
    let tip: Vec<&str> = tip.as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    // Plot begins every line with a space of no width.
    let tip: Vec<&str> = tip.iter().map(|line| line.trim_start_matches('\u{200b}')).collect();
    let expected = format!("mean accuracy = {}", (1e4 * shown).round() / 1e4);
    assert!(tip.contains(&"router-norm-change") && tip.contains(&expected.as_str()), "{tip:?}");
    let lines = "document.querySelectorAll('#norms .plot [aria-label=line] path').length";
    let before = browser.evaluate(lines).as_u64().expect("a number");
    browser.evaluate("(() => { const select = [...document.querySelectorAll('#norms select')].at(-1); select.selectedIndex = 1; select.onchange(); })()");
    let after = browser.evaluate(lines).as_u64().expect("a number");
    assert_eq!(after, before + 6, "a line for each of the six experts");
    let groups = "document.querySelectorAll('#norms .plot [aria-label=area] path').length";
    let before = browser.evaluate(groups).as_u64().expect("a number");
    browser.evaluate("document.querySelector('#norms .legend button').click()");
    assert_eq!(browser.evaluate(groups).as_u64(), Some(before - 1), "a series can be hidden");
}

#[test]
fn a_browser_runs_no_script_from_the_files() {
    let Some(chromium) = browser::chromium() else { return };
    let bench = finished();
    make_hostile(&bench);
    let mut browser = Browser::start(&chromium);
    let opened = browser.open(&bench.path("out/report.html"), 1400, "light");
    assert_eq!(opened.complaints, Vec::<String>::new());
    assert_eq!(opened.requests.len(), 1, "{:?}", opened.requests);
    assert_eq!(browser.evaluate("window.hacked === undefined"), true);
    // A verdict of claims.csv, as text.
    let shown = "[...document.querySelectorAll('body :not(script)')].some(element => \
                 element.children.length === 0 && element.textContent.includes('<script>window.hacked = 1</script>'))";
    assert_eq!(browser.evaluate(shown), true);
}
