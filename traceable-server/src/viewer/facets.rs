//! Beside a list: which values the runs in it have, and how many have each. A click narrows the list, another widens it.

use maud::{Markup, html};
use traceable_store::{Facet, Field, Of, Query, Result, Scope, Store};

use super::{Place, show, terms};
use crate::print;

/// Values of one field that are shown.
const LIMIT: usize = 8;

/// Values of one field.
pub(super) struct Group {
    field: Field,
    /// Whether they are of any run of a trace, not of the one that stands for it.
    is_of_tree: bool,
    values: Vec<Facet>,
}

/// All of them.
pub(super) struct Facets {
    groups: Vec<Group>,
    is_all: bool,
}

/// Counts.
pub(super) fn count(store: &Store, query: &Query, of: Of) -> Result<Facets> {
    let mut fields = vec![Field::Project, Field::Environment, Field::Status, Field::Name];
    fields.extend([Field::Type, Field::Model, Field::Tag, Field::User, Field::Release]);
    let found = store.facets(query, of, &fields, LIMIT)?;
    let mut is_all = found.is_all;
    let mut groups: Vec<_> = fields
        .into_iter()
        .zip(found.fields)
        .map(|(field, values)| Group { field, is_of_tree: false, values })
        .collect();
    if of == Of::Traces {
        // What stands for a trace is seldom the call of a model, and it is that which people look for.
        let every = Query::default();
        let within = if *query == every { every } else { query.clone().within(Scope::Root) };
        let calls = within.and(Query::Exists(Field::Model));
        let models = store.facets(&calls, Of::Runs, &[Field::Model], LIMIT)?;
        is_all &= models.is_all;
        for group in groups.iter_mut().filter(|group| group.field == Field::Model) {
            group.is_of_tree = true;
            group.values = models.fields.first().cloned().unwrap_or_default();
        }
    }
    Ok(Facets { groups, is_all })
}

impl Group {
    /// A value with what is then looked for, and whether it is looked for now.
    fn link(&self, place: &Place, value: &str, more: &[(&str, &str)]) -> (String, bool) {
        let chosen = match self.field {
            Field::Project => Some(("project", place.project.as_str())),
            Field::Environment => Some(("env", place.env.as_str())),
            _ => None,
        };
        if let Some((name, chosen)) = chosen {
            let is_on = chosen == value;
            return (place.link("/", &[more, &[(name, if is_on { "" } else { value })]].concat()), is_on);
        }
        let is = if self.is_of_tree { terms::is_in_tree } else { terms::is };
        let term = is(&self.field, value).to_string();
        let is_on = terms::has(&place.q, &term);
        let q = if is_on { terms::without(&place.q, &term) } else { terms::with(&place.q, &term) };
        (place.link("/", &[more, &[("q", &q)]].concat()), is_on)
    }
}

fn title(field: &Field) -> &'static str {
    match field {
        Field::Project => "Project",
        Field::Environment => "Environment",
        Field::Status => "Status",
        Field::Name => "Name",
        Field::Type => "Kind",
        Field::Model => "Model",
        Field::Tag => "Tag",
        Field::User => "User",
        Field::Release => "Release",
        other => other.info().name,
    }
}

/// The side bar. A field of which all runs have one value tells nothing, but for what is looked for.
pub(super) fn side(facets: &Facets, place: &Place, more: &[(&str, &str)]) -> Markup {
    let groups = facets.groups.iter().map(|group| {
        let links = group.values.iter().map(|facet| (facet, group.link(place, &facet.value, more)));
        (group, links.collect::<Vec<_>>())
    });
    let telling = groups.filter(|(_, links)| links.len() > 1 || links.iter().any(|(_, (_, is_on))| *is_on));
    html! {
        @for (group, links) in telling {
            section {
                h2 { (title(&group.field)) }
                ul {
                    @for (facet, (url, is_on)) in links {
                        li {
                            a href=(url) aria-current=[is_on.then_some("true")] title=(show::plain(show::brief(&facet.value))) {
                                span.value { (show::name(&facet.value)) }
                                span.n { (print::count(facet.runs)) @if is_on { span.off title="Take away" { "×" } } }
                            }
                        }
                    }
                }
            }
        }
        @if !facets.is_all { p.quiet { "Counted in the newest 20 000." } }
    }
}
