//! What all boosted quantiles have in common: one booster for all levels, with exact leaves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hessboost::config::{LeafEstimation, TrainingParamsBuilder};
use hessboost::objective::{Objective, Quantiles};
use hessboost::prelude::{BoostedModel, ModelFormat, TrainingParams, TreeMethod};
use kwartier_data::forecast::LEVELS;

/// Bins that a feature is cut into: as many as the features here can tell apart, and a quarter of the work of 256.
const BINS: usize = 64;

/// Parameters of a booster for the quantiles at [`LEVELS`], to be completed by how many trees of what shape. Its leaves are
/// at the quantile of their rows; Newton steps lose a fifth of the skill. `None` where the library refuses the levels.
pub(crate) fn quantiles() -> Option<TrainingParamsBuilder> {
    let objective = Objective::Quantile(Quantiles::new(LEVELS).ok()?);
    let builder = TrainingParams::builder().objective(objective).tree_method(TreeMethod::Hist);
    Some(builder.leaf_estimation(LeafEstimation::Exact).max_bin(BINS))
}

/// A row of what a booster predicts, which is in order.
pub(crate) fn levels(row: &[f32]) -> [f64; LEVELS.len()] {
    let mut quantiles = [0.0; LEVELS.len()];
    for (quantile, &value) in quantiles.iter_mut().zip(row) {
        *quantile = f64::from(value);
    }
    quantiles
}

/// A number in the precision of the trees.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}

/// A booster as text.
pub(crate) fn kept(model: &BoostedModel) -> Option<String> {
    model.encode(ModelFormat::Binary).ok().map(|bytes| BASE64.encode(bytes))
}

/// The booster of so many features that [`kept`] wrote.
pub(crate) fn restored(text: &str, features: usize) -> Option<BoostedModel> {
    let model = BoostedModel::decode(BASE64.decode(text).ok()?, ModelFormat::Binary).ok()?;
    (model.n_features() == features).then_some(model)
}
