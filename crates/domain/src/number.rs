//! Numbers as a reader sees them, on pages and in the summary of a run.

/// A number with thousands separators, such as `1,204`.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("−{text}") } else { text }
}

/// A number with its noun, such as `1 person` or `1,204 people`.
#[must_use]
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_thousands_separators() {
        let texts = [0, 7, 999, 1_000, 100_001, 1_000_000, -1_204].map(count);
        assert_eq!(texts, ["0", "7", "999", "1,000", "100,001", "1,000,000", "−1,204"]);
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn a_noun_follows_its_number() {
        assert_eq!(counted(1, "person", "people"), "1 person");
        assert_eq!(counted(0, "person", "people"), "0 people");
        assert_eq!(counted(1_204, "person", "people"), "1,204 people");
    }
}
