# Seconds of lmer and glmer with random intercept and slope, best of REPEATS (default 3), as CSV.
# Rscript tests/reference/timing.R DATA.csv [REPEATS]
# DATA.csv has columns person, x, y (a number) and, for glmer, yes (0 or 1). Default options of lme4;
# reading the file and loading lme4 do not count. Prints: model,seconds,log_likelihood.
suppressMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
data$person <- factor(data$person)
repeats <- if (length(arguments) > 1) as.integer(arguments[2]) else 3L
report <- function(name, fit) {
  seconds <- min(replicate(repeats, system.time(found <<- fit())[["elapsed"]]))
  cat(sprintf("%s,%.4f,%.6f\n", name, seconds, as.numeric(logLik(found))))
}
cat("model,seconds,log_likelihood\n")
if ("y" %in% names(data)) report("lmer", function() lmer(y ~ x + (x | person), data, REML = FALSE))
if ("yes" %in% names(data)) {
  report("glmer", function() glmer(yes ~ x + (x | person), data, family = binomial))
}
