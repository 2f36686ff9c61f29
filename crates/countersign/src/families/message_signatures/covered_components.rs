use super::{
    component_id::{Component, ComponentId, FieldForm},
    derived_component::DerivedSet,
};
use crate::wire::DistinctList;

/// The components that a signature covers, in signing order, each once (RFC 9421 section 2).
#[derive(Clone, Debug, Default)]
pub(super) struct CoveredComponents<'c> {
    ids: DistinctList<ComponentId<'c>>,
    listed: DerivedSet,
    bound: DerivedSet,
}

impl<'c> CoveredComponents<'c> {
    /// Appends a component. Refuses a component that is already present, in any order of its
    /// parameters.
    #[inline]
    pub(super) fn push(&mut self, id: ComponentId<'c>) -> Result<(), &'static str> {
        let itself = id.derived_set();
        let is_listed = if itself.is_empty() {
            self.ids.contains(&id)
        } else {
            self.listed.intersects(itself)
        };
        if is_listed {
            return Err("signature-input: a component twice");
        }
        if let Component::Derived(derived) = id.component() {
            self.listed = self.listed.union(itself);
            self.bound = self.bound.union(derived.bound());
        }
        self.ids.push_distinct(id);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ComponentId<'c>> {
        self.ids.iter()
    }

    /// Returns whether `required` is bound: listed itself, or contained in a listed component.
    pub(super) fn covers(&self, required: &ComponentId<'_>) -> bool {
        let itself = required.derived_set();
        if itself.is_empty() {
            self.ids.iter().any(|id| id == required)
        } else {
            self.bound.intersects(itself)
        }
    }

    /// Returns whether the component itself is listed.
    pub(super) fn lists(&self, id: &ComponentId<'_>) -> bool {
        let itself = id.derived_set();
        if itself.is_empty() {
            self.ids.iter().any(|listed| listed == id)
        } else {
            self.listed.intersects(itself)
        }
    }

    /// Returns whether the whole field is covered as sent.
    pub(super) fn covers_field(&self, name: &str) -> bool {
        self.ids.iter().any(|id| id.plain_field() == Some(name))
    }

    /// Returns whether this member of a dictionary field is covered.
    pub(super) fn covers_member(&self, field: &str, member: &str) -> bool {
        self.ids.iter().any(|id| match id.component() {
            Component::Field {
                name,
                form: FieldForm::Member { key, .. },
            } => name == field && key == member,
            Component::Field { .. } | Component::Derived(_) => false,
        })
    }

    /// Writes the inner list.
    pub(super) fn write_to(&self, text: &mut String) {
        text.push('(');
        for (position, id) in self.ids.iter().enumerate() {
            if position > 0 {
                text.push(' ');
            }
            id.write_to(text);
        }
        text.push(')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(ids: &[&str]) -> CoveredComponents<'static> {
        let mut covered = CoveredComponents::default();
        for id in ids {
            covered.push(id.parse().unwrap()).unwrap();
        }
        covered
    }

    #[test]
    fn is_written_in_its_order() {
        for (ids, expected) in [
            (&[][..], "()"),
            (&[r#""@method""#], r#"("@method")"#),
            (
                &[r#""b";sf"#, r#""@path""#, r#""a""#],
                r#"("b";sf "@path" "a")"#,
            ),
        ] {
            let mut text = String::new();
            covered(ids).write_to(&mut text);
            assert_eq!(text, expected);
        }
    }

    /// Source: RFC 9421 section 2: an identifier occurs once, in any order of its parameters.
    #[test]
    fn refuses_a_component_twice_also_with_reordered_parameters() {
        for ids in [
            [r#""date""#; 2],
            [r#""@method""#; 2],
            [r#""@query-param";name="a""#; 2],
            [r#""a";sf;key="b""#, r#""a";key="b";sf"#],
        ] {
            let mut covered = covered(&ids[..1]);
            assert!(covered.push(ids[1].parse().unwrap()).is_err(), "{ids:?}");
        }
    }

    #[test]
    fn a_part_beside_what_holds_it_is_two_components() {
        let ids = [
            r#""@target-uri""#,
            r#""@request-target""#,
            r#""@authority""#,
            r#""@path""#,
            r#""@query""#,
            r#""@scheme""#,
            r#""@method""#,
            r#""@query-param";name="a""#,
            r#""@query-param";name="b""#,
        ];
        let covered = covered(&ids);
        assert_eq!(covered.len(), ids.len());
        for id in ids {
            let again = covered.clone().push(id.parse().unwrap());
            assert!(again.is_err(), "{id} twice, and others between");
        }
        let other = r#""@query-param";name="c""#.parse().unwrap();
        assert!(!covered.covers(&other));
    }

    #[test]
    fn a_field_in_two_forms_is_two_components() {
        let ids = [
            r#""a""#,
            r#""a";sf"#,
            r#""a";bs"#,
            r#""a";key="b""#,
            r#""a";key="c""#,
        ];
        assert_eq!(covered(&ids).len(), ids.len());
    }

    #[test]
    fn only_what_binds_as_much_stands_for_a_required_component() {
        for (name, listed, required, expected) in [
            ("itself", "@method", "@method", true),
            ("another", "@path", "@method", false),
            (
                "the whole URI for the authority",
                "@target-uri",
                "@authority",
                true,
            ),
            ("the whole URI for the path", "@target-uri", "@path", true),
            ("the whole URI for the query", "@target-uri", "@query", true),
            (
                "the whole URI for the scheme",
                "@target-uri",
                "@scheme",
                true,
            ),
            (
                "the whole URI for the method",
                "@target-uri",
                "@method",
                false,
            ),
            ("the target for the path", "@request-target", "@path", true),
            (
                "the target for the query",
                "@request-target",
                "@query",
                true,
            ),
            (
                "the target for the authority",
                "@request-target",
                "@authority",
                false,
            ),
            ("a part for the whole", "@path", "@target-uri", false),
            ("Host for the authority", "host", "@authority", false),
            ("a part for another", "@method", "@request-target", false),
            ("a field", "date", "date", true),
            ("another field", "date", "content-type", false),
        ] {
            let [listed, required] = [listed, required].map(|name| format!("\"{name}\""));
            let found = covered(&[&listed]).covers(&required.parse().unwrap());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_field_in_another_form_is_not_all_of_it() {
        let covered = covered(&[r#""a";key="b""#, r#""b";sf"#, r#""c";bs"#, r#""d""#]);
        for (name, expected) in [("a", false), ("b", false), ("c", false), ("d", true)] {
            assert_eq!(covered.covers_field(name), expected, "{name}");
        }
    }
}
