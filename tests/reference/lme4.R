# Maximum-likelihood fits by lme4, frozen in lme4.json, for tests/estimators/test_certificate.py.
# Debian: apt-get install r-base-core r-cran-lme4 r-cran-nlme r-cran-jsonlite
# Run from the repository's root: Rscript tests/reference/lme4.R
library(lme4)
library(jsonlite)
data(Orthodont, package = "nlme")
data(Oxboys, package = "nlme")

describe <- function(formula, data) {
  fit <- lmer(formula, data = data, REML = FALSE,
              control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9)))
  group <- names(ranef(fit))[1]
  effects <- ranef(fit)[[group]]
  list(
    fixed = as.list(fixef(fit)),
    covariance = unclass(VarCorr(fit)[[group]])[, , drop = FALSE],
    residual_variance = sigma(fit)^2,
    log_likelihood = as.numeric(logLik(fit)),
    groups = rownames(effects),
    effects = as.matrix(effects)
  )
}

studies <- list(
  sleepstudy = describe(Reaction ~ Days + (Days | Subject), sleepstudy),
  Orthodont = describe(distance ~ age + (age | Subject), as.data.frame(Orthodont)),
  Oxboys = describe(height ~ age + (age | Subject), as.data.frame(Oxboys)),
  sleepstudy_intercept = describe(Reaction ~ Days + (1 | Subject), sleepstudy)
)
write(toJSON(list(lme4 = as.character(packageVersion("lme4")), studies = studies),
             digits = 10, auto_unbox = TRUE, pretty = TRUE), "tests/reference/lme4.json")
