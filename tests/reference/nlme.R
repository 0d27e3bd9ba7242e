# Residuals with AR(1) and continuous-time AR(1) correlation by nlme's lme and gls; writes nlme.csv.
# python -m tests.reference.export FOLDER; Rscript tests/reference/nlme.R FOLDER [MODEL ...]
# Debian 12: r-base-core 4.2.2, r-cran-nlme 3.1.162
# phi: correlation of neighbouring rows (AR(1)) or at distance 1 of the time column (CAR(1)).
# fixed_se has no small-sample factor (summary() multiplies ML's by sqrt(N / (N - p))).
suppressMessages(library(nlme))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "common.R"))

controls <- list(
  nlminb = lmeControl(opt = "nlminb", maxIter = 500, msMaxIter = 1000, msMaxEval = 5000,
                      tolerance = 1e-12, msTol = 1e-14, niterEM = 50, returnObject = TRUE),
  optim = lmeControl(opt = "optim", maxIter = 500, msMaxIter = 1000, tolerance = 1e-12,
                     msTol = 1e-14, niterEM = 50, returnObject = TRUE))

# A fit with the warnings of its optimiser.
noted <- function(expression) {
  notes <- NULL
  fit <- withCallingHandlers(expression, warning = function(w) {
    notes <<- c(notes, conditionMessage(w))
    invokeRestart("muffleWarning")
  })
  if (length(notes)) attr(fit, "notes") <- paste(gsub("[[:space:]]+", " ", unique(notes)), collapse = "; ")
  fit
}

# Each optimiser from two starting values of phi.
tries <- function(controls, fit_by) {
  out <- list()
  for (name in names(controls)) for (start in c(0.2, 0.7)) {
    out[[paste0(name, "_", start)]] <- attempt(noted(fit_by(controls[[name]], start)))
  }
  out
}

# Lower and upper 95 % limits of nlme::intervals(): normal on the transformed scale.
interval_lines <- function(fit) {
  found <- attempt(intervals(fit, which = "var-cov"))
  if (is.null(found)) return(NULL)
  out <- rbind(line("interval_low", unname(found$corStruct[, "lower"]), "phi"),
               line("interval_high", unname(found$corStruct[, "upper"]), "phi"),
               line("interval_low", unname(found$sigma["lower"]), "sigma"),
               line("interval_high", unname(found$sigma["upper"]), "sigma"))
  for (factor in names(found$reStruct)) {
    table <- found$reStruct[[factor]]
    out <- rbind(out, line("interval_low", table[, "lower"], rownames(table), factor),
                 line("interval_high", table[, "upper"], rownames(table), factor))
  }
  out
}

shared_lines <- function(found, covariance, outcome, seconds) {
  fit <- found$fit
  rho <- fit$modelStruct$corStruct
  rbind(likelihood_lines(fit, outcome),
        fixed_lines(if (inherits(fit, "lme")) fixef(fit) else coef(fit), covariance),
        line("residual_variance", fit$sigma^2),
        if (!is.null(rho)) line("phi", unname(coef(rho, unconstrained = FALSE))),
        if (!is.null(rho)) interval_lines(fit),
        line("optimiser", found$optimiser), line("optimisers_tried", found$tried),
        line("optimiser_gap", found$gap), line("message", if (is.null(attr(fit, "notes"))) "converged" else attr(fit, "notes")),
        line("seconds", signif(seconds, 2)))
}

mixed <- function(name, formula, random, correlation, method) function() {
  data <- rows(name)
  fit_by <- function(control, start) do.call(lme, list(formula, data, random = random,
    correlation = correlation(start), method = method, control = control))
  seconds <- system.time(attempt(fit_by(lmeControl(opt = "optim"), 0.2)))[["elapsed"]]
  found <- best(tries(controls, fit_by))
  fit <- found$fit
  factor <- names(fit$groups)
  sigma <- as.matrix(getVarCov(fit))
  class(sigma) <- "matrix"
  attr(sigma, "group.levels") <- NULL
  rbind(shared_lines(found, fit$varFix, data[[all.vars(formula)[1]]], seconds),
        line("df_containment", unname(fit$fixDF$X), names(fixef(fit))),
        covariance_lines(sigma, factor), mode_lines(as.matrix(ranef(fit)), NULL, factor))
}

marginal <- function(name, formula, correlation, method) function() {
  data <- rows(name)
  fit_by <- function(opt, start) do.call(gls, list(formula, data, correlation = correlation(start),
    method = method, control = glsControl(opt = opt, maxIter = 500, msMaxIter = 1000,
                                          tolerance = 1e-12, msTol = 1e-14)))
  seconds <- system.time(fit_by("nlminb", 0.2))[["elapsed"]]
  found <- best(tries(c(nlminb = "nlminb", optim = "optim"), fit_by))
  shared_lines(found, found$fit$varBeta, data[[all.vars(formula)[1]]], seconds)
}

pair <- function(key, make, ...) {
  setNames(list(make(..., "ML"), make(..., "REML")), paste0(key, c("_ml", "_reml")))
}

ar1 <- function(form) function(start) corAR1(start, form = form)
car1 <- function(form) function(start) corCAR1(start, form = form)
none <- function(start) NULL
wave <- follicles ~ sin + cos
growth <- weight ~ Time + diet2 + diet3 + Time_diet2 + Time_diet3
models <- c(
  pair("ovary_independent", mixed, "ovary", wave, ~ 1 | Mare, none),
  pair("ovary_ar1", mixed, "ovary", wave, ~ 1 | Mare, ar1(~ occasion | Mare)),
  pair("ovary_car1", mixed, "ovary", wave, ~ 1 | Mare, car1(~ Time | Mare)),
  pair("ovary_slope_ar1", mixed, "ovary", wave, list(Mare = pdDiag(~sin)), ar1(~ occasion | Mare)),
  pair("ovary_gls_ar1", marginal, "ovary", wave, ar1(~ occasion | Mare)),
  pair("ovary_gls_car1", marginal, "ovary", wave, car1(~ Time | Mare)),
  pair("bodyweight_independent", mixed, "bodyweight", growth, ~ Time | Rat, none),
  pair("bodyweight_car1", mixed, "bodyweight", growth, ~ Time | Rat, car1(~ Time | Rat)),
  pair("diary_independent", mixed, "diary", y ~ x, ~ 1 | person, none),
  pair("diary_ar1", mixed, "diary", y ~ x, ~ 1 | person, ar1(~ occasion | person)),
  pair("diary_car1", mixed, "diary", y ~ x, ~ 1 | person, car1(~ time | person)),
  pair("diary_slope_car1", mixed, "diary", y ~ x, ~ x | person, car1(~ time | person)),
  pair("diary_gls_car1", marginal, "diary", y ~ x, car1(~ time | person)),
  pair("sleepstudy_slope", mixed, "sleepstudy", Reaction ~ Days, ~ Days | Subject, none))
write_models("nlme", models, "nlme")
