//! What a plan says beside its refusals.

use super::{PrunePlan, PruneRequest, Semantics};
use crate::checkpoint::criterion::RowCriterion;
use crate::checkpoint::error::listed;
use crate::checkpoint::keep::{Keep, Order};
use crate::checkpoint::layout::Layout;
use crate::checkpoint::site::SiteKey;
use std::collections::BTreeMap;

impl PrunePlan<'_> {
    /// Says what no refusal says.
    pub(super) fn note(&mut self, layout: &Layout, request: &PruneRequest, norms: &BTreeMap<SiteKey, Vec<f64>>) {
        self.notes.extend(self.files.notes.clone());
        self.notes.extend(layout.family.note.clone());
        self.notes.extend(layout.missing_mtp(self.files).filter(|_| !request.drop_mtp));
        let Some(kept) = self.most_kept() else { return };
        let ranked = matches!(request.order, Order::Criterion(criterion) if criterion != RowCriterion::Random);
        if ranked && !matches!(request.keep, Keep::List(_)) && !request.drop_mtp {
            for key in norms.keys() {
                self.notes.push(format!("{key}: has no partner in the pre-trained checkpoint; ranked by router-norm"));
            }
        }
        let undecided = self.chosen.iter().filter(|chosen| !chosen.undecided.is_empty());
        for chosen in undecided {
            let (stays, goes) = chosen.undecided[0];
            self.notes.push(format!(
                "{}: ties across the cut: experts {stays} (stays) and {goes} (goes) differ by less than rounding ({} such pairs)",
                chosen.site,
                chosen.undecided.len()
            ));
        }
        if request.semantics == Semantics::Zero {
            self.notes.push(
                "zero: all shapes stay, nothing is saved; the router still sends tokens to pruned experts".to_owned(),
            );
            return;
        }
        if layout.groups.is_some() && request.ungroup {
            self.notes.push("experts are no longer chosen within groups: the model routes differently".to_owned());
        }
        if self.chosen.iter().any(|chosen| chosen.kept.len() as u64 != kept) || self.chosen.len() < layout.sites.len() {
            self.notes.push(
                "layers keep different numbers of experts: config.json has a list, which transformers 4 reads and transformers 5 does not"
                    .to_owned(),
            );
            return;
        }
        let supported = &layout.family.supported;
        if !supported.is_empty() && !supported.contains(&kept) {
            self.notes.push(format!(
                "kernels for {} exist for {} experts, not for {kept}",
                layout.model_type,
                listed(supported, 32)
            ));
        }
        let sizes: Vec<u64> = (1..=kept).filter(|size| kept.is_multiple_of(*size)).collect();
        self.notes.push(format!("{kept} experts can be spread over {} ranks", listed(&sizes, 32)));
    }
}
