//! A text as a dotted order.

use traceable_core::model::DottedOrder;

/// What is taken is bounded, stays as it is, and has every level in it.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match text.parse::<DottedOrder>() {
        Ok(order) => {
            assert_eq!(order.as_str(), text);
            assert!((1..=DottedOrder::MAX_LEVELS).contains(&order.depth()) && text.len() <= 8 * 1024);
            assert_eq!(order.segments().count(), order.depth());
            assert_eq!(order.segments().next().map(|(_, id)| id), order.trace_id());
            assert_eq!(order.segments().next_back(), order.start_time().zip(order.id()));
            assert_eq!(order.parent_id().is_some(), order.depth() > 1);
        }
        Err(error) => assert!(error.level() >= 1 && error.to_string().is_ascii()),
    }
}
