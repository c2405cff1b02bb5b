//! How a shop is, as gauges for Prometheus.

use time::OffsetDateTime;

use super::{
    board::ShopStatus,
    cause::Cause,
    families::{Families, whole},
    told::ago,
};

impl ShopStatus {
    /// How the shop is as gauges in Prometheus' text format. Each process tells the same of one shop; what
    /// is not known is left out.
    ///
    /// | gauge | meaning |
    /// | --- | --- |
    /// | `woody_shop_cause{cause, severity}` | 1 where this is wrong, else 0 |
    /// | `woody_shop_orders{state}` | orders that are `pending`, and of these in the `outbox`; counted up to 100,000 |
    /// | `woody_shop_oldest_order_seconds{state}` | for how long the oldest of them has waited |
    /// | `woody_shop_messages{state}` | messages that are `ready`, `in_flight`, `delayed` or `dead` |
    /// | `woody_shop_consumers` | workers that take orders |
    /// | `woody_shop_notices{subscription, state}` | ends of orders that are still to be told (`open`), or given up (`dead`) |
    /// | `woody_shop_oldest_notice_seconds{subscription}` | for how long the oldest of them has waited |
    pub fn gauges(&self) -> String {
        let mut told = Families::default();
        self.gauges_of_causes(&mut told);
        self.gauges_of_store(&mut told);
        self.gauges_of_queue(&mut told);
        told.into_text()
    }

    fn gauges_of_causes(&self, told: &mut Families) {
        let cause = |cause: &Cause| {
            let found = self.findings().iter().any(|finding| finding.cause == *cause);
            let (name, severity) = (cause.as_str(), cause.severity().as_str());
            let labels = format!("{{cause=\"{name}\",severity=\"{severity}\"}}");
            (labels, if found { 1.0 } else { 0.0 })
        };
        let causes: Vec<_> = Cause::ALL.iter().map(cause).collect();
        told.add("woody_shop_cause", "Whether this is wrong with the shop.", &causes);
    }

    fn gauges_of_store(&self, told: &mut Families) {
        let seen = self.evidence();
        if let Ok(backlog) = &seen.store {
            let orders = [("pending", backlog.pending), ("outbox", backlog.unpublished)];
            let orders = orders.map(|(state, count)| (of_state(state), whole(count)));
            let help = "Orders that are pending, and of these in the outbox, counted up to 100000.";
            told.add("woody_shop_orders", help, &orders);
            let oldest =
                [("pending", backlog.oldest_pending), ("outbox", backlog.oldest_unpublished)];
            let oldest = oldest.map(|(state, at)| (of_state(state), self.waited(at)));
            let help =
                "For how long the oldest pending order has waited, and the oldest in the outbox.";
            told.add("woody_shop_oldest_order_seconds", help, &oldest);
        }
        let (mut notices, mut oldest) = (Vec::new(), Vec::new());
        for counts in &seen.notices {
            let subscription = format!("subscription=\"{}\"", counts.subscription);
            for (state, count) in [("open", counts.open), ("dead", counts.dead)] {
                notices.push((format!("{{{subscription},state=\"{state}\"}}"), whole(count)));
            }
            oldest.push((format!("{{{subscription}}}"), self.waited(counts.oldest)));
        }
        let help = "Ends of orders still to be told, and given up, counted up to 100000.";
        told.add("woody_shop_notices", help, &notices);
        let help = "For how long the oldest end of an order has waited to be told.";
        told.add("woody_shop_oldest_notice_seconds", help, &oldest);
    }

    fn gauges_of_queue(&self, told: &mut Families) {
        let Ok(queue) = &self.evidence().queue else { return };
        let messages = [
            ("ready", Some(queue.ready)),
            ("in_flight", queue.in_flight),
            ("delayed", Some(queue.delayed)),
            ("dead", Some(queue.dead)),
        ];
        let known = messages.into_iter().filter_map(|(state, count)| Some((state, count?)));
        let messages: Vec<_> =
            known.map(|(state, count)| (of_state(state), whole(count))).collect();
        told.add("woody_shop_messages", "Messages at the broker.", &messages);
        let consumers: Vec<_> =
            queue.consumers.into_iter().map(|count| (String::new(), whole(count))).collect();
        told.add("woody_shop_consumers", "Workers that take orders.", &consumers);
    }

    fn waited(&self, since: Option<OffsetDateTime>) -> f64 {
        since.map_or(0.0, |since| ago(since, self.evidence().looked_at).as_secs_f64())
    }
}

fn of_state(state: &str) -> String {
    format!("{{state=\"{state}\"}}")
}
