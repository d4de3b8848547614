use super::*;

#[test]
fn prefixes_are_two_to_twenty_safe_characters() {
    for good in ["ab", "api", "a-b", "0x", "a2345678901234567890"] {
        assert!(good.parse::<Prefix>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "a",
        "-a",
        "a-",
        "Api",
        "a_b",
        "a/b",
        "..",
        ".git",
        "a23456789012345678901",
        "ä1",
        "a b",
    ] {
        assert!(bad.parse::<Prefix>().is_err(), "{bad}");
    }
}

#[test]
fn short_codes_have_project_letter_and_number() {
    for good in ["API-T-0001", "A-Z-00000", "CRT2-I-0042"] {
        assert!(good.parse::<ShortCode>().is_ok(), "{good}");
        assert_eq!(ShortCode::from_file_name(&format!("{good}.md")), good.parse().ok());
    }
    for bad in [
        "",
        "API-T-001",
        "api-T-0001",
        "API-TT-0001",
        "API-T-0001-2",
        "2A-T-0001",
        "API-T-000a",
        "../T-0001",
    ] {
        assert!(bad.parse::<ShortCode>().is_err(), "{bad}");
    }
    assert!("A-B-1".repeat(40).parse::<ShortCode>().is_err());
    assert!(format!("A-B-{}", "1".repeat(100)).parse::<ShortCode>().is_err());
}

#[test]
fn object_ids_print_what_they_parsed() {
    for hex in ["0123456789abcdef0123456789abcdef01234567", &"ab".repeat(32)] {
        assert_eq!(hex.parse::<ObjectId>().unwrap().to_string(), hex);
    }
    for bad in ["", "0123", &"G".repeat(40), &"A".repeat(40)] {
        assert!(bad.parse::<ObjectId>().is_err());
    }
}
