//! The page report.html: what it shows is what the CSV files hold, it is text where others wrote it, and a browser opens
//! it without a complaint and without asking for anything.

#[path = "../cli_common/mod.rs"]
mod cli_common;

mod browser;

use browser::Browser;
use cli_common::{Bench, Rows, column};
use moe_theory::record::manifest::sha256;
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

/// A drawing of a page: its SVG and the rows of its table.
struct View {
    svg: String,
    rows: Vec<Vec<String>>,
}

/// The drawings of a figure in a page.
fn views(page: &str, id: &str) -> Vec<View> {
    let begin = page.find(&format!("id=\"{id}\"><h3>")).unwrap_or_else(|| panic!("figure {id}"));
    let figure = &page[begin..begin + page[begin..].find("</figure>").expect("an end")];
    figure.split("<div class=\"view\"").skip(1).map(view).collect()
}

fn view(text: &str) -> View {
    let svg = text[text.find("<svg").expect("a drawing")..text.find("</svg>").expect("an end") + 6].to_owned();
    View { svg, rows: table(text) }
}

/// A number as the page's tables write it.
fn number(cell: &str) -> f64 {
    cell.replace('−', "-").parse().unwrap_or_else(|_| panic!("{cell} is no number"))
}

/// The row of a claim in the page's table, with what is behind it.
fn card<'a>(page: &'a str, number: &str) -> &'a str {
    let begin = page.find(&format!("id=\"claim-{number}\"")).expect("a row");
    let rest = &page[begin..];
    &rest[..rest.find("<tbody class=\"claim\"").or(rest.find("</section>")).expect("an end")]
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
        let head = &card[..card.find("class=\"more\"").expect("what is behind")];
        assert!(head.contains(&format!("</span> {}</span>", row["verdict"])), "{head}");
        assert!(head.contains(&format!("<strong>{}</strong>", row["claim"])), "{head}");
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
    // A claim of one part has its numbers in its row too, and on the first screen.
    bench.succeeds("run tiny.toml --quiet --out one");
    let page = bench.read("one/report.html");
    let answers = &page[page.find("<header").expect("a head")..page.find("</header>").expect("an end")];
    for row in bench.rows("one/claims.csv") {
        let shown: Vec<f64> = card(&page, &row["number"]).split("<data ").skip(1).filter_map(value).collect();
        let of = |names: &[&str]| -> Vec<f64> { names.iter().filter_map(|name| row[*name].parse().ok()).collect() };
        let own = of(&["estimate", "holds", "runs", "ci_low", "ci_high", "level"]);
        assert_eq!(shown[..own.len()], own);
        assert!(of(&["median"]).iter().all(|median| shown.contains(median)), "{shown:?}");
        let answer = answers
            .split("<li class=\"answer\">")
            .find(|item| item.contains(&format!("#claim-{}", row["number"])))
            .expect("a sentence");
        assert_eq!(answer.split("<data ").skip(1).filter_map(value).collect::<Vec<_>>(), of(&["holds", "runs"]));
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
    let page = bench.read("out/report.html");
    let all = [
        "phase",
        "scaling",
        "pruning",
        "norm-change",
        "displacement",
        "delta-displacement",
        "trajectory",
        "proficiency",
        "certificates",
        "margins",
    ];
    for id in all {
        for view in views(&page, id) {
            let marks = view.svg.split("class=\"marks").skip(1).map(|part| &part[..part.find("</g>").expect("an end")]);
            let marks: usize = marks.map(|part| part.matches("<path").count()).sum();
            assert!(marks == view.rows.len() && marks > 0, "{id}: {marks} marks");
        }
    }
    assert_eq!(page.matches("<figure").count(), all.len());
    // The accuracy of the unpruned models at point 0, computed again.
    let pruning = bench.rows("out/pruning.csv");
    let unpruned = |row: &&std::collections::BTreeMap<String, String>| {
        row["point"] == "0" && row["kept"] == "6" && row["finetuned"] == "false"
    };
    let accuracies: Vec<f64> =
        pruning.iter().filter(unpruned).map(|row| row["accuracy"].parse().expect("a number")).collect();
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    let shown = number(&views(&page, "pruning")[0].rows[0][2]);
    assert!((shown - mean).abs() < 1e-4 * mean, "{shown} in place of {mean}");
    // Every cell of a map, with its counts.
    let phase = bench.rows("out/phase.csv");
    let cells: Vec<String> =
        views(&page, "phase").iter().flat_map(|view| &view.rows).map(|row| row[4].clone()).collect();
    assert_eq!(cells, phase.iter().map(|row| format!("{} of {}", row["holds"], row["runs"])).collect::<Vec<_>>());
    // Every certificate counts once.
    let certified = pruning
        .iter()
        .filter(|row| row["point"] == "0" && row["kept"] == "6" && row["certificate"] == "CERTIFIED")
        .count();
    let share = number(&views(&page, "certificates")[0].rows[0][2]);
    assert!((share - certified as f64 / 25.0).abs() < 1e-4, "{share} in place of {certified} of 25");
}

/// The first tag that has an attribute twice, which no XML may have.
fn twice(svg: &str) -> Option<&str> {
    let tags = svg.split('<').skip(1).filter_map(|tag| tag.split('>').next());
    tags.into_iter().find(|tag| {
        let names = tag.split('"').step_by(2).filter_map(|part| part.trim().strip_suffix('='));
        let names: Vec<&str> = names.map(|name| name.split_whitespace().last().unwrap_or_default()).collect();
        (1..names.len()).any(|place| names[..place].contains(&names[place]))
    })
}

#[test]
fn the_files_of_figures_are_the_drawings_of_the_page() {
    let bench = Bench::new();
    bench.write("figures.toml", EVERY_FIGURE);
    bench.succeeds("run figures.toml --quiet --seeds 3 --out out --figures svg");
    let page = bench.read("out/report.html");
    let files: Vec<_> =
        fs::read_dir(bench.path("out/figures")).expect("a folder").map(|file| file.expect("a file").path()).collect();
    assert_eq!(files.len(), page.matches("<svg class=\"drawing").count());
    for file in files {
        let text = fs::read_to_string(&file).expect("text");
        assert!(page.contains(&text), "{}", file.display());
        assert!(text.contains("mm\"") && text.contains("xmlns="), "{}", file.display());
        assert_eq!(twice(&text), None, "{}", file.display());
    }
    for name in ["norm-change-point-3", "pruning-point-0", "trajectory-point-0", "phase-1-T2a", "scaling-1"] {
        assert!(bench.path(&format!("out/figures/{name}.svg")).is_file(), "{name}");
    }
}

/// A page says what has no meaning where tokens are pictures or patterns not orthonormal, and nothing of it elsewhere.
#[test]
fn a_page_says_what_has_no_meaning_of_its_tokens() {
    let bench = Bench::new();
    bench.write(
        "plain.toml",
        "name = \"plain\"\nseeds = 1\n[data]\npatterns = 20\ntokens = 6\n[training]\niterations = 2\n",
    );
    let pictures = "--set data.images=digits --set data.patterns=16 --set data.replacement=true";
    for (set, said) in
        [("--seeds 1", [false, false]), (pictures, [true, true]), ("--set data.coherence=0.3", [false, true])]
    {
        bench.succeeds(&format!("run plain.toml --quiet --out out {set}"));
        let page = bench.read("out/report.html");
        let words = ["Tokens are patches of pictures", "there are no certificates"];
        assert_eq!(words.map(|words| page.contains(words)), said, "{set}");
        fs::remove_dir_all(bench.path("out")).expect("the folder");
    }
}

#[test]
fn a_map_of_one_parameter_is_drawn_as_a_curve() {
    let bench = Bench::new();
    let text =
        EVERY_FIGURE.replace(ONE_PARAMETER, "").replace("x = \"pretrained.neuron_scale\"\ny = \"data.patterns\"\n", "");
    bench.write("one.toml", text);
    bench.succeeds("run one.toml --quiet --out out --seeds 5");
    let curves = views(&bench.read("out/report.html"), "curves");
    let shown: Vec<f64> = curves.iter().flat_map(|view| &view.rows).map(|row| number(&row[2])).collect();
    let phase = bench.rows("out/phase.csv");
    let estimates: Vec<f64> = column(&phase, "estimate").iter().filter_map(|text| text.parse().ok()).collect();
    assert_eq!(shown, estimates);
}

#[test]
fn criteria_are_a_matrix_with_the_numbers_of_their_table() {
    let bench = Bench::new();
    let claim = "[[claim]]\nid = \"C1\"\nagainst = \"random\"\n";
    bench.write("many.toml", cli_common::TINY.replace("[pruning]\n", "[pruning]\ncriteria = \"all\"\n") + claim);
    bench.succeeds("run many.toml --quiet --out out --seeds 4");
    let [matrix] = &views(&bench.read("out/report.html"), "criteria")[..] else { panic!("one drawing") };
    let printed = bench.succeeds("criteria out --no-cost");
    let table = &printed[printed.find("###").expect("the table")..];
    for row in &matrix.rows {
        let line = table.lines().find(|line| line.starts_with(&format!("| `{}` |", row[1]))).expect("a row");
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for (shown, own) in row[2..5].iter().zip(&cells[2..5]) {
            assert_eq!(shown.replace('−', "-"), own.replace('−', "-"), "{line}");
        }
    }
    assert!(matrix.rows.len() > 20);
}

#[test]
fn a_claim_without_a_judged_run_says_how_many_were_set_aside() {
    let bench = Bench::new();
    bench.write(
        "few.toml",
        cli_common::TINY.replace("on = \"all\"", "on = \"met\"") + "[assumptions]\ntravel_min = 1e6\n",
    );
    bench.succeeds("run few.toml --quiet --out out --seeds 4");
    let page = bench.read("out/report.html");
    assert!(page.contains(" was judged: "), "no such sentence");
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
    for (table, word) in [("pruning.csv", "router-norm-change"), ("claims.csv", "T2ax"), ("phase.csv", "neuron_scale")]
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
    // The page's own.
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img"));
    assert!(page.contains("&lt;script&gt;window.hacked = 1&lt;/script&gt;"), "a claim");
    assert!(page.contains("name = &quot;&lt;script&gt;"), "the falsifier's file");
}

#[test]
fn a_browser_shows_the_page_in_both_widths_and_schemes_and_without_scripts() {
    let Some(chromium) = browser::chromium() else { return };
    let bench = finished();
    let page = bench.path("out/report.html");
    let claims = bench.rows("out/claims.csv");
    let expected: Vec<String> = conclusions(&claims).iter().map(|row| row["verdict"].clone()).collect();
    let mut browser = Browser::start(&chromium);
    for (width, scheme, scripts) in
        [(400, "light", true), (1400, "light", true), (400, "dark", true), (1400, "dark", true), (1400, "light", false)]
    {
        let what = format!("{width} {scheme}, scripts: {scripts}");
        browser.allow_scripts(scripts);
        let opened = browser.open(&page, width, scheme);
        assert_eq!(opened.complaints, Vec::<String>::new(), "{what}");
        assert_eq!(opened.requests, [format!("file://{}", page.display())], "{what}");
        let wide = browser.evaluate("document.documentElement.scrollWidth").as_f64().expect("a width");
        assert!(wide <= f64::from(width), "{what}: the page is {wide} wide");
        let shown = browser.evaluate(
            "[...document.querySelectorAll('.claim > tr:first-child .verdict')].map(v => v.innerText.replace(/^\\S+ /, ''))",
        );
        assert_eq!(shown, serde_json::json!(expected));
        check_figures(&mut browser, &what);
        let light = browser.evaluate("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'");
        assert_eq!(light, scheme == "light", "{what}");
        assert_eq!(browser.evaluate("document.querySelector('.theme') !== null"), scripts, "{what}");
        browser.photograph(&format!("report-{width}-{scheme}-{scripts}.png"));
    }
}

/// Every drawing lies within its place with readable letters, and has a mark for each row of its table.
fn check_figures(browser: &mut Browser, what: &str) {
    let views = browser.evaluate(
        "[...document.querySelectorAll('.view')].filter(view => view.offsetHeight > 0).map(view => {
            const svg = view.querySelector('svg'), place = view.getBoundingClientRect(), box = svg.getBoundingClientRect();
            const marks = svg.querySelectorAll('.marks > path').length, rows = view.querySelectorAll('tbody tr').length;
            const letters = 10.5 * box.width / svg.viewBox.baseVal.width;
            return [view.closest('figure').id, marks, rows, box.left >= place.left - 1, box.right <= place.right + 1 || svg.matches('.wide'), letters];
        })",
    );
    let views = views.as_array().expect("views");
    assert!(views.len() > 20, "{what}: {} drawings", views.len());
    for view in views {
        assert!(view[1] == view[2] && view[1].as_u64() > Some(0), "{what}: {view}");
        assert!(view[3] == true && view[4] == true && view[5].as_f64() > Some(9.5), "{what}: {view}");
    }
}

#[test]
fn a_printed_page_holds_every_drawing_and_no_control() {
    let Some(chromium) = browser::chromium() else { return };
    let bench = finished();
    let mut browser = Browser::start(&chromium);
    browser.open(&bench.path("out/report.html"), 800, "dark");
    browser.print();
    let shown = "[...document.querySelectorAll('.view svg')].filter(svg => svg.checkVisibility() && svg.getBoundingClientRect().height > 50).length";
    let all = bench.read("out/report.html").matches("<svg class=\"drawing").count();
    assert_eq!(browser.evaluate(shown).as_u64(), Some(all as u64));
    assert_eq!(browser.evaluate("document.querySelector('.choice').checkVisibility()"), false);
    assert_eq!(browser.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
}

#[test]
fn a_browser_shows_values_on_hover_and_one_drawing_on_demand() {
    let Some(chromium) = browser::chromium() else { return };
    let bench = finished();
    let mut browser = Browser::start(&chromium);
    browser.open(&bench.path("out/report.html"), 1400, "light");
    let place = browser.evaluate(
        "(() => { const svg = document.querySelector('#pruning svg'); svg.scrollIntoView({ block: 'center' });
            const mark = svg.querySelector('.marks path').getBoundingClientRect();
            return [mark.left + mark.width / 2, mark.top + mark.height / 2]; })()",
    );
    browser.point_at(place[0].as_f64().expect("x") + 1.0, place[1].as_f64().expect("y") + 1.0);
    let tip = browser.evaluate("document.getElementById('tip').textContent");
    let row = &views(&bench.read("out/report.html"), "pruning")[0].rows[0];
    let tip: Vec<&str> = tip.as_str().expect("text").lines().collect();
    assert_eq!(tip[..3], [row[0].as_str(), &format!("ρ: {}", row[1]), &format!("mean accuracy: {}", row[2])]);
    let dim = "document.querySelectorAll('#pruning .view:first-child .series.dim').length > 0";
    assert_eq!(browser.evaluate(dim), true, "the other series are faded");
    let visible = "[...document.querySelectorAll('#pruning .view')].filter(view => view.checkVisibility()).length";
    assert!(browser.evaluate(visible).as_u64() > Some(1));
    browser.evaluate("(() => { const select = document.querySelector('#pruning select'); select.selectedIndex = 5; select.dispatchEvent(new Event('change')); })()");
    assert_eq!(browser.evaluate(visible).as_u64(), Some(1), "one drawing, even of those that were folded away");
    let paper = "getComputedStyle(document.body).backgroundColor";
    let before = browser.evaluate(paper);
    browser.evaluate("document.querySelector('.theme').click()");
    assert_ne!(browser.evaluate(paper), before, "light becomes dark");
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
    // A claim of claims.csv, as text.
    let shown = "[...document.querySelectorAll('body :not(script)')].some(element => \
                 element.children.length === 0 && element.textContent.includes('<script>window.hacked = 1</script>'))";
    assert_eq!(browser.evaluate(shown), true);
}
