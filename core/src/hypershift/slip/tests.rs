use SlipKind::{Extra, Instead, Quote, Registry, Scheme, Space, UpperCase};

use super::*;

const RIGHT: &str = "registry.redhat.io/redhat=m.lab/redhat";
const TWO: &str = "registry.redhat.io/redhat=m.lab/redhat,registry.redhat.io/redhat=n.lab/redhat";

#[test]
fn letters_of_several_bytes_do_not_panic() {
    // Cutting a text inside of such a letter would. What is found does not matter here.
    for value in ["é://", "registry.redhat.io/redhat=é://m.lab/redhat", "日本://日本=日本://", "://", "=://"]
    {
        let _ = find_slip(value);
    }
}

#[test]
fn the_first_wrong_character_is_found_with_its_place() {
    let table = [
        ("registry.redhat.io/redhat=m.lab/redhat, registry.redhat.io/redhat=n.lab/redhat", 40, Space, TWO),
        ("registry.redhat.io/redhat=m.lab/redhat registry.redhat.io/redhat=n.lab/redhat", 39, Space, TWO),
        (
            "registry.redhat.io/redhat=m.lab/redhat;registry.redhat.io/redhat=n.lab/redhat",
            39,
            Instead(';', ','),
            TWO,
        ),
        ("registry.redhat.io/redhat= m.lab/redhat", 27, Space, RIGHT),
        ("registry.redhat.io/redhat=m.lab/redhat\n", 39, Space, RIGHT),
        ("registry.redhat.io/redhat:m.lab/redhat", 26, Instead(':', '='), RIGHT),
        ("\"registry.redhat.io/redhat=m.lab/redhat\"", 1, Quote('"'), RIGHT),
        ("registry.redhat.io/redhat='m.lab/redhat'", 27, Quote('\''), RIGHT),
        ("Registry.redhat.io/redhat=m.lab/redhat", 1, UpperCase('R'), RIGHT),
        ("registry.redhat.io/redhat=m.lab/Redhat", 33, UpperCase('R'), RIGHT),
        (
            "registry.redhat.io/redhat/x-index:V4.16=m.lab/X:V4.16",
            35,
            UpperCase('V'),
            "registry.redhat.io/redhat/x-index:v4.16=m.lab/x:V4.16",
        ),
        ("registry.redhat.com/redhat=m.lab/redhat", 1, Registry("registry.redhat.com".to_owned()), RIGHT),
        ("registry.redhat.io/redhat=https://m.lab/redhat", 27, Scheme, RIGHT),
        ("https://registry.redhat.io/redhat=m.lab/redhat", 1, Scheme, RIGHT),
        ("redhat=https://m.lab/redhat", 8, Scheme, "redhat=m.lab/redhat"),
        ("registry.redhat.io/redhat/=m.lab/redhat/", 26, Extra('/'), RIGHT),
    ];
    for (value, position, kind, meant) in table {
        let expected = Slip { position, kind, meant: meant.to_owned() };
        assert_eq!(find_slip(value), Some(expected), "{value}");
    }
}

#[test]
fn a_value_without_a_slip_stays_as_it_is() {
    for value in [
        RIGHT,
        TWO,
        "",
        "=",
        "registry.redhat.io=m.lab:8443",
        "registry.redhat.io/redhat=M.lab:8443/redhat",
        "registry.access.redhat.com=m.lab",
        "quay.io:443=m.lab",
        "registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x:v4.16",
        "registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x:V4.16",
        "no-pair",
    ] {
        assert_eq!(find_slip(value), None, "{value}");
    }
}

/// The sentences are written down here and nowhere else.
#[test]
fn a_slip_is_a_clause_with_its_place() {
    let table = [
        (Space, "character 7 is a space"),
        (Quote('"'), "character 7 is a quotation mark (\")"),
        (Instead(':', '='), "character 7 is : instead of ="),
        (Extra('/'), "character 7 is an extra /"),
        (UpperCase('R'), "character 7 is the upper-case letter R"),
        (Scheme, "a scheme begins at character 7"),
        (
            Registry("registry.redhat.com".to_owned()),
            "the registry at character 7 is registry.redhat.com instead of registry.redhat.io",
        ),
    ];
    for (kind, expected) in table {
        assert_eq!(Slip { position: 7, kind, meant: String::new() }.to_string(), expected);
    }
}
