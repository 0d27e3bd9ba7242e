# lmer and glmer: linear, binomial and Poisson mixed models, nested and crossed; writes lme4.csv.
# python -m tests.reference.export FOLDER; Rscript tests/reference/lme4.R FOLDER [MODEL ...]
# Debian 12: r-base-core 4.2.2, r-cran-lme4 1.1-31, r-cran-lmertest 3.1-3, r-cran-pbkrtest 0.5.2
# Names of the models: STUDY_WHAT_ml / _reml; STUDY_WHAT_laplace / _agqN (N quadrature points).
suppressMessages({library(lme4); library(lmerTest)})
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "common.R"))

# rhobeg is the first step in every direction: small enough for columns of values up to 100.
tight <- list(
  bobyqa = list("bobyqa", list(rhobeg = 0.02, rhoend = 1e-9, maxfun = 1e5)),
  nlopt = list("nloptwrap", list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-10, ftol_abs = 1e-12,
                                 xtol_rel = 1e-10, ftol_rel = 1e-15, maxeval = 1e5)),
  nlminb = list("nlminbwrap", list(rel.tol = 1e-13, x.tol = 1e-10, eval.max = 1e4, iter.max = 1e4)))

random_lines <- function(fit) {
  # Terms of one factor that stand apart (`||`, nested slopes) are put together as blocks.
  parts <- VarCorr(fit)
  owner <- sub("\\.[0-9]+$", "", names(parts))
  modes <- ranef(fit, condVar = TRUE)
  out <- NULL
  for (factor in unique(owner)) {
    out <- rbind(out, covariance_lines(as.matrix(Matrix::bdiag(lapply(parts[owner == factor], as.matrix))) |>
      (\(m) { n <- unlist(lapply(parts[owner == factor], rownames)); dimnames(m) <- list(n, n); m })(), factor))
    table <- as.matrix(modes[[factor]])
    spread <- attr(modes[[factor]], "postVar")
    slices <- if (is.list(spread)) spread else list(spread)
    sds <- do.call(cbind, lapply(slices, function(a) t(matrix(sqrt(apply(a, 3, diag)), dim(a)[1]))))
    dimnames(sds) <- dimnames(table)
    out <- rbind(out, mode_lines(table, sds, factor))
  }
  out
}

common_lines <- function(found, seconds) {
  fit <- found$fit
  notes <- unlist(fit@optinfo$conv$lme4$messages)
  rbind(likelihood_lines(fit, model.response(model.frame(fit))),
        fixed_lines(fixef(fit), vcov(fit)), random_lines(fit),
        line("optimiser", found$optimiser), line("optimisers_tried", found$tried),
        line("optimiser_gap", found$gap), line("singular", isSingular(fit, tol = 1e-4)),
        line("message", if (length(notes)) paste(notes, collapse = "; ") else "converged"),
        line("seconds", signif(seconds, 2)))
}

profile_lines <- function(fit) {
  found <- attempt(suppressMessages(suppressWarnings(
    confint(fit, method = "profile", oldNames = FALSE, quiet = TRUE))))
  if (is.null(found)) return(NULL)
  rbind(line("profile_low", unname(found[, 1]), rownames(found)),
        line("profile_high", unname(found[, 2]), rownames(found)))
}

linear <- function(name, formula, reml, profile = FALSE, df = TRUE) function() {
  data <- rows(name)
  seconds <- system.time(lme4::lmer(formula, data, REML = reml))[["elapsed"]]
  # do.call: the fit's call then holds the data, which profiles and lmerTest evaluate again.
  if (nrow(data) > 1e4) tight <- tight[c("bobyqa", "nlopt")]
  fits <- lapply(tight, function(o) attempt(suppressMessages(suppressWarnings(do.call(lme4::lmer, list(
    formula, data, REML = reml, control = lmerControl(o[[1]], optCtrl = o[[2]])))))))
  found <- best(fits)
  fit <- found$fit
  out <- rbind(common_lines(found, seconds), line("residual_variance", sigma(fit)^2))
  if (profile && !reml) out <- rbind(out, profile_lines(fit))
  if (df && reml) {
    tests <- attempt(suppressMessages(as_lmerModLmerTest(fit)))
    for (kind in c("Satterthwaite", "Kenward-Roger")) {
      table <- attempt(coef(summary(tests, ddf = kind)))
      if (is.null(table)) next
      key <- if (kind == "Satterthwaite") "satterthwaite" else "kenward_roger"
      out <- rbind(out, line(paste0("df_", key), unname(table[, "df"]), rownames(table)),
                   line(paste0("se_", key), unname(table[, "Std. Error"]), rownames(table)))
    }
  }
  out
}

# Log-likelihood of a model with one random intercept by adaptive integration, at lme4's estimates.
integrated <- function(fit, family) {
  y <- model.response(model.frame(fit))
  eta <- as.vector(getME(fit, "X") %*% fixef(fit))
  group <- getME(fit, "flist")[[1]]
  sd <- sqrt(VarCorr(fit)[[1]][1, 1])
  modes <- ranef(fit)[[1]]
  spread <- sqrt(attr(ranef(fit, condVar = TRUE)[[1]], "postVar")[1, 1, ])
  density <- function(y, eta) if (family == "poisson") dpois(y, exp(eta), log = TRUE) else dbinom(y, 1, plogis(eta), log = TRUE)
  sum(vapply(seq_len(nrow(modes)), function(i) {
    at <- which(group == rownames(modes)[i])
    log_joint <- Vectorize(function(u) sum(density(y[at], eta[at] + u)) + dnorm(u, 0, sd, log = TRUE))
    top <- log_joint(modes[i, 1])
    reach <- 15 * spread[i]
    area <- integrate(function(u) exp(log_joint(u) - top), modes[i, 1] - reach, modes[i, 1] + reach,
                      rel.tol = 1e-11, subdivisions = 1000L)$value
    top + log(area)
  }, numeric(1)))
}

# nAGQ > 1: glmer's log-likelihood of counts leaves out log p(y | saturated); it is added here.
general <- function(name, formula, family, points = 1, profile = FALSE,
                    optimisers = c("bobyqa", "nlminb")) function() {
  data <- rows(name)
  fit_by <- function(o, tolerance, start = NULL) do.call(glmer, list(formula, data, family = family, nAGQ = points, start = start,
    control = glmerControl(o[[1]], optCtrl = o[[2]], tolPwrss = tolerance)))
  seconds <- system.time(suppressWarnings(suppressMessages(
    glmer(formula, data, family = family, nAGQ = points))))[["elapsed"]]
  # The tightest tolerance of the inner iterations at which they still end ("step-halvings failed").
  for (tolerance in c(1e-11, 1e-10, 1e-9, 1e-8, 1e-7)) {
    fits <- lapply(tight[optimisers], function(o) attempt(suppressWarnings(suppressMessages(fit_by(o, tolerance)))))
    if (!any(vapply(fits, is.null, logical(1)))) break
  }
  # A large gap: once more, each from the best.
  if (best(fits)$gap > 1e-4) {
    start <- list(theta = getME(best(fits)$fit, "theta"), fixef = fixef(best(fits)$fit))
    again <- lapply(tight[optimisers], function(o) attempt(suppressWarnings(suppressMessages(fit_by(o, tolerance, start)))))
    fits <- c(fits, setNames(again, paste0(optimisers, "_again")))
  }
  found <- best(fits)
  fit <- found$fit
  y <- model.response(model.frame(fit))
  out <- rbind(common_lines(found, seconds), line("inner_tolerance", tolerance))
  out <- rbind(out, line("fixed_se_given_sigma", unname(sqrt(diag(as.matrix(suppressWarnings(vcov(fit, use.hessian = FALSE)))))), names(fixef(fit))))
  if (points > 1 && family == "poisson") {
    constant <- sum(dpois(y, y, log = TRUE))
    for (key in c("log_likelihood", "aic", "bic")) {
      at <- which(out$quantity == key)
      out$value[at] <- formatC(as.numeric(out$value[at]) + constant * if (key == "log_likelihood") 1 else -2, digits = 15, format = "g", width = 1)
    }
  }
  if (length(getME(fit, "theta")) == 1) out <- rbind(out, line("log_likelihood_integrated", integrated(fit, family)))
  if (profile) out <- rbind(out, profile_lines(fit))
  out
}

both <- function(key, name, formula, profile = TRUE, df = TRUE) {
  setNames(list(linear(name, formula, FALSE, profile, df), linear(name, formula, TRUE, profile, df)),
           paste0(key, c("_ml", "_reml")))
}

children <- use ~ age + age2 + urban + livch1 + livch2 + livch3
clinic <- good ~ treatment + month + age + male + centre2 + baseline + (1 | subject)
verbal <- r2 ~ anger + male + scold + shout + self + (1 | id) + (1 | item)
models <- c(
  list(cbpp_laplace = general("cbpp", incidence ~ period2 + period3 + period4 + (1 | herd), "binomial", profile = TRUE),
       cbpp_agq9 = general("cbpp", incidence ~ period2 + period3 + period4 + (1 | herd), "binomial", 9),
       cbpp_agq25 = general("cbpp", incidence ~ period2 + period3 + period4 + (1 | herd), "binomial", 25)),
  both("sleepstudy_slope", "sleepstudy", Reaction ~ Days + (Days | Subject)),
  both("sleepstudy_diagonal", "sleepstudy", Reaction ~ Days + (Days || Subject)),
  both("sleepstudy_intercept", "sleepstudy", Reaction ~ Days + (1 | Subject)),
  list(contraception_laplace = general("contraception", update(children, . ~ . + (1 | district)), "binomial"),
       contraception_agq25 = general("contraception", update(children, . ~ . + (1 | district)), "binomial", 25),
       contraception_urban_laplace = general("contraception", update(children, . ~ . + (urban | district)), "binomial"),
       contraception_urban_diagonal_laplace = general("contraception", update(children, . ~ . + (urban || district)), "binomial"),
       grouseticks_brood_laplace = general("grouseticks", TICKS ~ year96 + year97 + cHEIGHT + (1 | BROOD), "poisson"),
       grouseticks_brood_agq25 = general("grouseticks", TICKS ~ year96 + year97 + cHEIGHT + (1 | BROOD), "poisson", 25),
       grouseticks_location_laplace = general("grouseticks", TICKS ~ year96 + year97 + cHEIGHT + (1 | BROOD) + (1 | LOCATION), "poisson"),
       grouseticks_full_laplace = general("grouseticks", TICKS ~ year96 + year97 + cHEIGHT + (1 | BROOD) + (1 | LOCATION) + (1 | INDEX), "poisson"),
       epilepsy_laplace = general("epilepsy", seizures ~ treatment + base + age + period + (1 | subject), "poisson", profile = TRUE),
       epilepsy_agq25 = general("epilepsy", seizures ~ treatment + base + age + period + (1 | subject), "poisson", 25),
       epilepsy_slope_laplace = general("epilepsy", seizures ~ treatment + base + age + period + (period | subject), "poisson"),
       respiratory_laplace = general("respiratory", clinic, "binomial"),
       respiratory_agq25 = general("respiratory", clinic, "binomial", 25)),
  both("orthodont", "orthodont", distance ~ age + (age | Subject)),
  both("oxboys", "oxboys", height ~ age + (age | Subject)),
  both("penicillin", "penicillin", diameter ~ 1 + (1 | plate) + (1 | sample)),
  both("pastes", "pastes", strength ~ 1 + (1 | batch) + (1 | sample)),
  both("pixel", "pixel", pixel ~ day + day2 + (day | Dog) + (1 | side)),
  both("schools", "schools", y ~ x + (x | school) + (1 | class)),
  both("ratings", "ratings", y ~ x + (x | person) + (1 | item)),
  list(ratings_binary_laplace = general("ratings", yes ~ x + (x | person) + (1 | item), "binomial"),
       verbagg_laplace = general("verbagg", verbal, "binomial")),
  both("insteval", "insteval", y ~ 1 + (1 | s) + (1 | d) + (1 | dept), profile = FALSE, df = FALSE),
  both("insteval_service", "insteval", y ~ service + (1 | s) + (1 | d) + (1 | dept), profile = FALSE, df = FALSE))
write_models("lme4", models, c("lme4", "lmerTest", "pbkrtest", "Matrix"))
