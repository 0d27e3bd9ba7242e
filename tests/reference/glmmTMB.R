# A second witness by glmmTMB (Laplace, exact derivatives), negative binomial, AR(1) and OU terms; writes
# glmmTMB.csv.
# python -m tests.reference.export FOLDER; Rscript tests/reference/glmmTMB.R FOLDER [MODEL ...]
# Debian 12: r-base-core 4.2.2, r-cran-glmmtmb 1.1.5
# mode_sd counts the uncertainty of fixed effects and variances too (lme4's does not).
# fixed_se counts the uncertainty of the variances; sd_se is that of a random effect's SD.
suppressMessages(library(glmmTMB))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "common.R"))

controls <- list(
  nlminb = glmmTMBControl(optCtrl = list(iter.max = 2000, eval.max = 4000, rel.tol = 1e-15, x.tol = 1e-12)),
  BFGS = glmmTMBControl(optimizer = optim, optArgs = list(method = "BFGS"),
                        optCtrl = list(maxit = 2000, reltol = 1e-15)))

# Structured terms: one standard deviation, and the correlation of neighbours or at distance 1.
structured_lines <- function(sigma, code, factor) {
  times <- if (code == "ou") as.numeric(gsub("[^0-9.eE+-]", "", sub("^[^(]*", "", rownames(sigma))))
  rho <- cov2cor(sigma)[1, 2]
  rbind(line(paste0(code, "_sd"), sqrt(sigma[1, 1]), "", factor),
        line(paste0(code, "_phi"), if (code == "ou") rho^(1 / abs(times[2] - times[1])) else rho, "", factor))
}

model <- function(name, formula, family = gaussian(), dispersion = ~1, reml = FALSE, prepare = identity) function() {
  data <- prepare(rows(name))
  outcome <- data[[all.vars(formula)[1]]]
  arguments <- list(formula, data, family = family, dispformula = dispersion, REML = reml)
  seconds <- system.time(attempt(suppressWarnings(do.call(glmmTMB, arguments))))[["elapsed"]]
  fits <- lapply(controls, function(control) attempt(suppressWarnings(
    do.call(glmmTMB, c(arguments, control = list(control))))))
  theta <- best(fits)$fit$fit$par
  theta <- unname(theta[names(theta) == "theta"])
  fits$nlminb_again <- attempt(suppressWarnings(do.call(glmmTMB, c(
    arguments, control = list(controls$nlminb), start = list(list(theta = 0.8 * theta + 0.1))))))
  found <- best(fits)
  fit <- found$fit
  out <- rbind(likelihood_lines(fit, outcome), fixed_lines(fixef(fit)$cond, vcov(fit)$cond),
    line("gradient", max(abs(fit$obj$gr(fit$fit$par)))),
    line("optimiser", found$optimiser), line("optimisers_tried", found$tried), line("optimiser_gap", found$gap),
    line("message", fit$fit$message %||% "converged"), line("seconds", signif(seconds, 2)))
  if (family$family == "gaussian") out <- rbind(out, line("residual_variance", sigma(fit)^2))
  if (family$family == "nbinom2") out <- rbind(out, line("size", sigma(fit)))
  terms <- fit$modelInfo$reStruc$condReStruc
  owners <- sub(".* \\| ", "", names(terms))
  estimates <- summary(fit$sdr, "fixed")
  theta_se <- estimates[rownames(estimates) == "theta", "Std. Error"]
  first <- 1
  for (i in seq_along(terms)) {
    block <- VarCorr(fit)$cond[[i]]
    sigma <- matrix(block, nrow(block), dimnames = dimnames(block))
    code <- names(terms[[i]]$blockCode)
    if (code %in% c("ar1", "ou")) {
      out <- rbind(out, structured_lines(sigma, code, owners[i]))
    } else {
      size <- nrow(sigma)
      out <- rbind(out, covariance_lines(sigma, owners[i]),
        line("sd_se", sqrt(diag(sigma)) * theta_se[first + seq_len(size) - 1], rownames(sigma), owners[i]))
    }
    first <- first + terms[[i]]$blockNumTheta
  }
  modes <- ranef(fit, condVar = TRUE)$cond
  for (factor in intersect(names(modes), owners[!vapply(terms, function(t) names(t$blockCode) %in% c("ar1", "ou"), logical(1))])) {
    table <- as.matrix(modes[[factor]])
    spread <- attr(modes[[factor]], "condVar")
    if (is.list(spread) || sum(owners == factor) > 1) next
    sds <- t(matrix(sqrt(apply(spread, 3, diag)), ncol(table)))
    dimnames(sds) <- dimnames(table)
    out <- rbind(out, mode_lines(table, sds, factor))
  }
  out
}
`%||%` <- function(a, b) if (is.null(a)) b else a

steps <- function(column) function(data) {
  data$step <- factor(data[[column]], levels = sort(unique(data[[column]])))
  data
}
moments <- function(data) { data$moment <- numFactor(data$time); data }
children <- use ~ age + age2 + urban + livch1 + livch2 + livch3
counts <- seizures ~ treatment + base + age + period + (1 | subject)
ticks <- TICKS ~ year96 + year97 + cHEIGHT
models <- list(
  cbpp_laplace = model("cbpp", incidence ~ period2 + period3 + period4 + (1 | herd), binomial()),
  contraception_laplace = model("contraception", update(children, . ~ . + (1 | district)), binomial()),
  contraception_urban_laplace = model("contraception", update(children, . ~ . + (urban | district)), binomial()),
  contraception_urban_diagonal_laplace = model("contraception", update(children, . ~ . + (1 | district) + (0 + urban | district)), binomial()),
  epilepsy_laplace = model("epilepsy", counts, poisson()),
  epilepsy_slope_laplace = model("epilepsy", update(counts, . ~ . - (1 | subject) + (period | subject)), poisson()),
  epilepsy_nbinom2 = model("epilepsy", counts, nbinom2()),
  epilepsy_ar1 = model("epilepsy", seizures ~ treatment + base + age + period + ar1(step + 0 | subject), poisson(), prepare = steps("period")),
  grouseticks_brood_laplace = model("grouseticks", update(ticks, . ~ . + (1 | BROOD)), poisson()),
  grouseticks_full_laplace = model("grouseticks", update(ticks, . ~ . + (1 | BROOD) + (1 | LOCATION) + (1 | INDEX)), poisson()),
  grouseticks_brood_nbinom2 = model("grouseticks", update(ticks, . ~ . + (1 | BROOD)), nbinom2()),
  grouseticks_location_nbinom2 = model("grouseticks", update(ticks, . ~ . + (1 | BROOD) + (1 | LOCATION)), nbinom2()),
  respiratory_laplace = model("respiratory", good ~ treatment + month + age + male + centre2 + baseline + (1 | subject), binomial()),
  ratings_binary_laplace = model("ratings", yes ~ x + (x | person) + (1 | item), binomial()),
  verbagg_laplace = model("verbagg", r2 ~ anger + male + scold + shout + self + (1 | id) + (1 | item), binomial()),
  sleepstudy_slope_ml = model("sleepstudy", Reaction ~ Days + (Days | Subject)),
  sleepstudy_slope_reml = model("sleepstudy", Reaction ~ Days + (Days | Subject), reml = TRUE),
  ovary_ar1_ml = model("ovary", follicles ~ sin + cos + (1 | Mare) + ar1(step + 0 | Mare), dispersion = ~0, prepare = steps("occasion")),
  ovary_ar1_noise_ml = model("ovary", follicles ~ sin + cos + ar1(step + 0 | Mare), prepare = steps("occasion")),
  diary_car1_ml = model("diary", y ~ x + (1 | person) + ou(moment + 0 | person), dispersion = ~0, prepare = moments))
write_models("glmmTMB", models, c("glmmTMB", "TMB"))
