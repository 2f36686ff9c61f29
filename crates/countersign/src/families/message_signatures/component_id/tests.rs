use super::*;

#[test]
fn is_written_as_it_was_read() {
    for text in [
        r#""@method""#,
        r#""@query-param";name="fa%C3%A7ade%22%3A%20""#,
        r#""content-type""#,
        r#""example-dict";sf"#,
        r#""set-cookie";bs"#,
        r#""example-dict";key="a""#,
        r#""example-dict";sf;key="a""#,
        r#""example-dict";key="a";sf"#,
    ] {
        let id: ComponentId<'_> = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
    }
}

#[test]
fn spacing_and_an_explicit_true_are_written_away() {
    let id: ComponentId<'_> = r#""a";  sf=?1;   key="b""#.parse().unwrap();
    assert_eq!(id.to_string(), r#""a";sf;key="b""#);
}

#[test]
fn the_order_of_parameters_is_no_difference() {
    let ids = [r#""a";sf;key="b""#, r#""a";key="b";sf"#, r#""a";key="b""#];
    let [one, other, without] = ids.map(|text| text.parse::<ComponentId<'_>>().unwrap());
    assert_eq!(one, other);
    assert_ne!(one, without);
}

#[test]
fn refuses_what_a_request_has_no_component_of() {
    for (name, text) in [
        ("nothing", ""),
        ("no quotes", "date"),
        ("an integer", "1"),
        ("an empty name", r#""""#),
        ("upper case", r#""Date""#),
        ("a space", r#""a b""#),
        ("a colon", r#""a:b""#),
        ("an escape", r#""a\"b""#),
        ("unknown derived component", r#""@frobnicate""#),
        ("of a response", r#""@status""#),
        ("the parameters themselves", r#""@signature-params""#),
        ("no name of a query parameter", r#""@query-param""#),
        ("a name that is none", r#""@query-param";name"#),
        ("another parameter", r#""@query-param";key="a""#),
        ("a parameter of a derived component", r#""@method";sf"#),
        ("of the request of a response", r#""@method";req"#),
        ("a field of the request", r#""date";req"#),
        ("a trailer", r#""date";tr"#),
        ("an unknown parameter", r#""date";x"#),
        ("bs and sf", r#""date";bs;sf"#),
        ("bs and key", r#""date";bs;key="a""#),
        ("sf that is false", r#""date";sf=?0"#),
        ("sf that is a string", r#""date";sf="1""#),
        ("a key that is none", r#""date";key"#),
        ("a parameter twice", r#""date";key="a";key="b""#),
        ("a flag twice", r#""date";sf;sf"#),
        ("a name twice", r#""@query-param";name="a";name="a""#),
        ("three parameters", r#""date";sf;key="a";bs"#),
        ("something after", r#""date" "host""#),
    ] {
        let error = text.parse::<ComponentId<'_>>().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Coverage, "{name}");
    }
}

#[test]
fn is_made_of_what_a_component_can_be_made_of() {
    let field = HeaderName::from_static("example-dict");
    let member = ComponentId::member(&field, "a").unwrap();
    assert_eq!(member.to_string(), r#""example-dict";key="a""#);
    assert!(ComponentId::member(&field, "A").is_err());
    assert_eq!(ComponentId::from(field).to_string(), r#""example-dict""#);
    let parameter = ComponentId::query_param("a%20b").unwrap();
    assert_eq!(parameter.to_string(), r#""@query-param";name="a%20b""#);
    for name in ["a\"b", "a\\b", "é", "a\n"] {
        assert!(ComponentId::query_param(name).is_err(), "{name:?}");
    }
}
