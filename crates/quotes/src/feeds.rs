//! Feeds whose prices somebody must post before an action.

use breakwater_engine::{Clock, Error, Feeds, Market, Readings, Result, price::oracle::PriceUse};

/// Feeds that must be posted before `usage` finds prices at `clock`: none while the market would use what it is shown or
/// what it knows; those alone that are too old for it; or all of the dollar prices where one has no account that could be
/// judged by, or only prices of one moment would do: they must not be further apart than the market's `max_skew`. `clock` is that of the action: put it as much
/// later as posting takes.
///
/// # Errors
/// Reasons to refuse the readings that posting newer ones does not take away: those of
/// [`Market::accept_prices`](breakwater_engine::Market::accept_prices) but for [`Error::PriceRequired`],
/// [`Error::RedemptionFeedsRequired`],
/// [`Error::PriceTooOld`] and [`Error::FeedsTooFarApart`].
pub fn feeds_to_post(market: &Market, shown: &Readings, usage: PriceUse, clock: Clock) -> Result<Feeds<bool>> {
    let suffice = |readings: &Readings| {
        let mut market = *market;
        match market.accept_prices(readings, usage, clock) {
            Ok(_) => Ok(true),
            Err(
                Error::PriceRequired | Error::RedemptionFeedsRequired | Error::PriceTooOld | Error::FeedsTooFarApart,
            ) => Ok(false),
            Err(error) => Err(error),
        }
    };
    if suffice(shown)? {
        return Ok(Feeds::default());
    }
    let config = &market.config;
    let most = Feeds {
        rate: config.max_age_rate,
        ..Feeds::default().map(|()| usage.max_age(config))
    };
    let pinned = market.oracle.feeds().map(|pin| !pin.is_none());
    let old = shown.zip(most).zip(pinned).map(|((shown, most), pinned)| {
        let is_old = shown.is_none_or(|raw| clock.unix > raw.publish_time.saturating_add_unsigned(most.into()));
        pinned && is_old
    });
    let posted = shown.zip(old).map(|(shown, old)| {
        shown.map(|mut raw| {
            if old {
                raw.publish_time = clock.unix;
            }
            raw
        })
    });
    if suffice(&posted)? {
        return Ok(old);
    }
    Ok(Feeds {
        rate: old.rate,
        ..pinned
    })
}
