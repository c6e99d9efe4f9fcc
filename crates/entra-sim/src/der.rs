//! Just enough DER to take a certificate apart: its validity and its RSA public key. The signature on the
//! certificate itself is not checked, as Entra does not check it either: an uploaded certificate is trusted
//! because an administrator uploaded it.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
/// 1.2.840.113549.1.1.1, rsaEncryption.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// What the simulator needs from a certificate.
pub(crate) struct Parts {
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    /// The `RSAPublicKey` structure (PKCS #1).
    pub(crate) public_key: Vec<u8>,
}

/// Reads an X.509 certificate with an RSA key; `None` when it is anything else.
pub(crate) fn certificate(der: &[u8]) -> Option<Parts> {
    let mut outer = Reader(der);
    let mut certificate = Reader(outer.take(SEQUENCE)?);
    let mut body = Reader(certificate.take(SEQUENCE)?);
    if body.0.first() == Some(&VERSION) {
        body.any()?;
    }
    body.any()?; // serial number
    body.any()?; // signature algorithm
    body.any()?; // issuer
    let mut validity = Reader(body.take(SEQUENCE)?);
    let not_before = moment(validity.any()?)?;
    let not_after = moment(validity.any()?)?;
    body.any()?; // subject
    let mut key = Reader(body.take(SEQUENCE)?);
    let mut algorithm = Reader(key.take(SEQUENCE)?);
    if algorithm.take(OBJECT_ID)? != RSA {
        return None;
    }
    let (unused_bits, public_key) = key.take(BIT_STRING)?.split_first()?;
    (*unused_bits == 0).then(|| Parts { not_before, not_after, public_key: public_key.to_vec() })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

fn moment((tag, text): (u8, &[u8])) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let two: i32 = text.get(..2)?.parse().ok()?;
            (if two < 50 { 2000 + two } else { 1900 + two }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let pair = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(pair(0)?).ok()?, pair(2)?).ok()?;
    let time = Time::from_hms(pair(4)?, pair(6)?, pair(8)?).ok()?;
    Some(date.with_time(time).assume_offset(UtcOffset::UTC))
}
