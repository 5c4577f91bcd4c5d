//! The size of a figure on paper.

/// Width of both columns of a two-column paper in millimetres: the smallest letters, of 12 units of 860, have 7 points there.
const PAPER: f64 = 178.0;

/// The SVG with its size in millimetres in place of pixels, so that it comes out as wide as the text of a paper.
pub fn for_paper(svg: &str) -> String {
    let number = |name: &str| {
        let begin = svg.find(&format!(" {name}=\""))? + name.len() + 3;
        let end = begin + svg[begin..].find('"')?;
        Some((svg[begin..end].parse::<f64>().ok()?, format!(" {name}=\"{}\"", &svg[begin..end])))
    };
    let (Some((width, as_width)), Some((height, as_height))) = (number("width"), number("height")) else {
        return svg.to_owned();
    };
    let high = libm::round(PAPER * height / width * 100.0) / 100.0;
    svg.replacen(&as_width, &format!(" width=\"{PAPER}mm\""), 1).replacen(
        &as_height,
        &format!(" height=\"{high}mm\""),
        1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_in_millimetres_and_the_shape_stays() {
        let svg = r#"<svg width="860" height="430" viewBox="0 0 860 430"><rect width="860" height="430"/></svg>"#;
        let sized = r#"<svg width="178mm" height="89mm" viewBox="0 0 860 430"><rect width="860" height="430"/></svg>"#;
        assert_eq!(for_paper(svg), sized);
        assert_eq!(for_paper("<svg>"), "<svg>");
    }
}
