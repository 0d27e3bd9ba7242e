# Cumulative logit mixed models by ordinal::clmm; writes ordinal.csv.
# python -m tests.reference.export FOLDER; Rscript tests/reference/ordinal.R FOLDER [MODEL ...]
# Debian 12: r-base-core 4.2.2, r-cran-ordinal 2022.11-16
# logit P(y <= k) = threshold_k - x'fixed - u: a positive effect raises the outcome.
suppressMessages(library(ordinal))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "common.R"))

model <- function(name, formula, points = 1) function() {
  data <- rows(name)
  outcome <- all.vars(formula)[1]
  data[[outcome]] <- ordered(data[[outcome]])
  seconds <- system.time(clmm(formula, data, nAGQ = points))[["elapsed"]]
  tight <- list(
    ucminf = clmm.control(method = "ucminf", grtol = 1e-9, maxIter = 500, gradTol = 1e-9, maxLineIter = 500),
    nlminb = clmm.control(method = "nlminb", maxIter = 500, gradTol = 1e-9, maxLineIter = 500,
                          rel.tol = 1e-14, x.tol = 1e-10))
  found <- best(lapply(tight, function(control) attempt(
    suppressWarnings(clmm(formula, data, nAGQ = points, control = control)))))
  fit <- found$fit
  estimate <- c(fit$beta, fit$alpha)
  covariance <- vcov(fit)
  out <- rbind(
    likelihood_lines(fit, data[[outcome]]),
    fixed_lines(estimate, covariance[names(estimate), names(estimate)]),
    line("fit_gradient", max(abs(fit$gradient))),
    line("optimiser", found$optimiser), line("optimisers_tried", found$tried),
    line("optimiser_gap", found$gap), line("message", paste(fit$optRes$message, collapse = " ")), line("seconds", signif(seconds, 2)))
  spread <- condVar(fit)
  for (factor in names(VarCorr(fit))) {
    modes <- as.matrix(ranef(fit)[[factor]])
    # With several effects per level condVar() is conditional on the others; it is left out.
    sds <- if (ncol(modes) == 1) as.matrix(sqrt(spread[[factor]])) else NULL
    if (!is.null(sds)) dimnames(sds) <- dimnames(modes)
    sigma <- as.matrix(VarCorr(fit)[[factor]])
    out <- rbind(out, covariance_lines(sigma[, , drop = FALSE], factor), mode_lines(modes, sds, factor))
  }
  if (length(fit$ST) == 1 && nrow(fit$ST[[1]]) == 1) {
    # clmm's last parameter is the log of the random intercept's standard deviation.
    stopifnot(abs(tail(fit$optRes$par, 1) - log(fit$ST[[1]][1, 1])) < 1e-8)
    out <- rbind(out, line("sd_se", sqrt(covariance[nrow(covariance), ncol(covariance)]) * fit$ST[[1]][1, 1], "(Intercept)", names(fit$ST)))
  }
  out
}

models <- list(
  wine_laplace = model("wine", rating ~ warm + contact + (1 | judge)),
  wine_agq9 = model("wine", rating ~ warm + contact + (1 | judge), 9),
  wine_agq25 = model("wine", rating ~ warm + contact + (1 | judge), 25),
  arthritis_laplace = model("arthritis", y ~ treatment + baseline + time + (1 | id)),
  arthritis_agq9 = model("arthritis", y ~ treatment + baseline + time + (1 | id), 9),
  soup_laplace = model("soup", sureness ~ test + day2 + (1 | respondent)),
  soup_agq9 = model("soup", sureness ~ test + day2 + (1 | respondent), 9),
  arthritis_slope_laplace = model("arthritis", y ~ treatment + baseline + time + (1 + time | id)))
write_models("ordinal", models, "ordinal")
