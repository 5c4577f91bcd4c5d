# The CSV files of a result folder in R, without packages: Rscript examples/load.R results/default
#
# An empty cell was not measured; it never stands for 0. Column by column: docs/reference/columns.md, or `simulate explain COLUMN`.

arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments) > 0) arguments[1] else "results/default"
# Names stay as they are ("router-norm-change"); empty cells become NA. Seeds have 64 bits: as text they keep all digits.
read <- function(name, ...) {
  read.csv(file.path(folder, name), check.names = FALSE, na.strings = "", encoding = "UTF-8", ...)
}
runs <- read("runs.csv", colClasses = c(seed = "character"))
experts <- read("experts.csv")
pruning <- read("pruning.csv")
claims <- read("claims.csv")

cat("Verdicts\n")
print(claims[claims$part %in% c("probability", "all"), c("claim", "holds", "runs", "verdict")], row.names = FALSE)

cat("\nNorm change and displacement by role at t = 0 (medians)\n")
print(aggregate(cbind(delta, displacement) ~ role, data = experts, FUN = median))

cat("\nMean accuracy by number of experts kept, without further fine-tuning\n")
print(aggregate(accuracy ~ kept + criterion + point, data = pruning[pruning$finetuned == "false", ], FUN = mean))

# A claim again, from the rows alone: in how many runs does every relevant expert exceed all others (T1c)?
holds <- sapply(split(experts, list(experts$point, experts$run), drop = TRUE), function(run) {
  relevant <- run$role == "relevant"
  any(relevant) && min(run$delta[relevant]) > max(run$delta[!relevant], -Inf)
})
cat(sprintf("\nT1c holds in %d of %d runs\n", sum(holds), nrow(runs)))

# Figures as you like them, such as Δ against D:
# plot(delta ~ displacement, data = experts, log = "x", col = factor(role))
