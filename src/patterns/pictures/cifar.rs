//! CIFAR-10 and CIFAR-100 in their binary version: rows of one label (CIFAR-100: a coarse and a fine one), then 1,024 red,
//! 1,024 green and 1,024 blue values of 32 × 32 pixels (Krizhevsky, *Learning multiple layers of features from tiny images*,
//! 2009). A pixel's grey value is the mean of the three.

use super::Pictures;
use std::fs;
use std::path::{Path, PathBuf};

/// Pixels of a side.
const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;
/// Labels of a row, and how many classes the last of them tells apart.
const FORMATS: [(usize, usize); 2] = [(1, 10), (2, 100)];
/// The most bytes of all files: four times CIFAR's.
const MOST_BYTES: u64 = 800 << 20;

/// Reads a batch, or all `.bin` files of a folder.
pub(super) fn read(path: &Path) -> Result<Pictures, String> {
    let files = files(path)?;
    let mut pictures = Pictures { side: SIDE, ..Pictures::default() };
    let mut format = None;
    let mut bytes = 0;
    for file in &files {
        let shown = file.display();
        let size = fs::metadata(file).map_err(|error| format!("{shown}: {error}"))?.len();
        bytes += size;
        if bytes > MOST_BYTES {
            return Err(format!("{shown}: more than {} MiB of pictures", MOST_BYTES >> 20));
        }
        let content = fs::read(file).map_err(|error| format!("{shown}: {error}"))?;
        let of_file = format_of(&content).ok_or_else(|| {
            format!(
                "{shown}: no CIFAR batch: it has {size} bytes, which are no rows of 3073 or 3074 with labels in range"
            )
        })?;
        if *format.get_or_insert(of_file) != of_file {
            return Err(format!("{shown}: a batch of another CIFAR than {}", files[0].display()));
        }
        let is_test = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("test"));
        add(&mut pictures, &content, of_file, is_test);
    }
    if !pictures.held_out.contains(&true) {
        pictures.hold_out();
    }
    Ok(pictures)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let refused = |error: std::io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(refused)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries: Result<Vec<PathBuf>, _> =
        fs::read_dir(path).map_err(refused)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut files = entries.map_err(refused)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "bin"));
    files.sort();
    if files.is_empty() { Err(format!("{}: no file that ends in .bin", path.display())) } else { Ok(files) }
}

/// The format whose rows fit the bytes, and whose labels are all in range.
fn format_of(content: &[u8]) -> Option<(usize, usize)> {
    FORMATS.into_iter().find(|&(labels, classes)| {
        let row = labels + 3 * PIXELS;
        let rows = content.chunks_exact(row);
        !content.is_empty()
            && rows.remainder().is_empty()
            && content.chunks_exact(row).all(|row| usize::from(row[labels - 1]) < classes)
    })
}

fn add(pictures: &mut Pictures, content: &[u8], (labels, _): (usize, usize), is_test: bool) {
    for row in content.chunks_exact(labels + 3 * PIXELS) {
        let colours = &row[labels..];
        let grey = |pixel: usize| {
            let sum: u16 = (0..3).map(|colour| u16::from(colours[colour * PIXELS + pixel])).sum();
            // The mean of three bytes is one.
            (sum / 3) as u8
        };
        pictures.push(usize::from(row[labels - 1]), (0..PIXELS).map(grey), is_test);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose pixels are 30, 60 and 90 plus the row's number.
    fn batch(labels: &[&[u8]]) -> Vec<u8> {
        let row = |(number, label): (usize, &&[u8])| {
            let colours = [30, 60, 90].map(|colour| [colour + number as u8; PIXELS]).concat();
            [label.to_vec(), colours].concat()
        };
        labels.iter().enumerate().flat_map(row).collect()
    }

    fn written(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        files.iter().for_each(|(name, content)| fs::write(folder.path().join(name), content).expect("a file"));
        folder
    }

    #[test]
    fn a_folder_of_cifar_10_holds_out_its_test_batch() {
        let folder = written(&[
            ("data_batch_1.bin", batch(&[&[3], &[9]])),
            ("test_batch.bin", batch(&[&[0]])),
            ("batches.meta.txt", b"airplane".to_vec()),
        ]);
        let pictures = read(folder.path()).expect("two batches");
        assert_eq!(pictures.labels, [3, 9, 0]);
        assert_eq!(pictures.held_out, [false, false, true]);
        assert_eq!(pictures.pixels.len(), 3 * PIXELS);
        assert_eq!([pictures.pixels[0], pictures.pixels[PIXELS]], [60, 61]);
    }

    /// Planes that differ from pixel to pixel, and from each other: no other offset, stride or order gives the same means.
    #[test]
    fn a_grey_value_is_the_mean_of_the_three_planes_at_its_own_place() {
        let planes: Vec<u8> = (0..3 * PIXELS).map(|place| (place * place / 7 + 31 * (place / PIXELS)) as u8).collect();
        for labels in [&[7][..], &[1, 40]] {
            let row = [labels, &planes].concat();
            let folder = written(&[("data.bin", [&row[..], &row].concat())]);
            let pictures = read(folder.path()).expect("two rows");
            assert_eq!(pictures.labels, [usize::from(labels[labels.len() - 1]); 2]);
            for (number, &grey) in pictures.pixels.iter().enumerate() {
                let plane = |colour: usize| f64::from(planes[colour * PIXELS + number % PIXELS]);
                let mean = (plane(0) + plane(1) + plane(2)) / 3.0;
                assert_eq!(f64::from(grey), mean.floor(), "{number}");
            }
        }
    }

    #[test]
    fn a_batch_of_cifar_100_is_told_by_its_rows_and_holds_out_every_fifth() {
        let labels: Vec<Vec<u8>> = (0..10).map(|number| vec![1, 40 + number / 5]).collect();
        let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
        let folder = written(&[("train.bin", batch(&labels))]);
        let pictures = read(&folder.path().join("train.bin")).expect("a batch");
        assert_eq!(pictures.labels, [40, 40, 40, 40, 40, 41, 41, 41, 41, 41]);
        let held_out: Vec<usize> = (0..10).filter(|&picture| pictures.held_out[picture]).collect();
        assert_eq!(held_out, [4, 9]);
    }

    #[test]
    fn what_is_no_batch_is_refused_by_its_name() {
        let mut short = batch(&[&[3]]);
        short.pop();
        let mixed = [("a.bin", batch(&[&[3]])), ("b.bin", batch(&[&[1, 50]]))];
        for (files, said) in [
            (vec![("a.bin", short)], "a.bin: no CIFAR batch: it has 3072 bytes"),
            (vec![("a.bin", batch(&[&[10]]))], "a.bin: no CIFAR batch"),
            (vec![("a.bin", Vec::new())], "a.bin: no CIFAR batch"),
            (mixed.to_vec(), "b.bin: a batch of another CIFAR"),
            (vec![("a.txt", Vec::new())], "no file that ends in .bin"),
        ] {
            let folder = written(&files);
            let refused = read(folder.path()).err().unwrap_or_default();
            assert!(refused.contains(said), "{refused}");
        }
        assert!(read(Path::new("/no/such/folder")).is_err());
    }
}
