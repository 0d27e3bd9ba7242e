# Multinomial logit with a random intercept of each log-odds against the first class: no package of
# Debian's fits it, so that Laplace's approximation is written out here, and at its estimates the integral by
# adaptive Gauss-Hermite quadrature; writes multinomial.csv.
# python -m tests.reference.export FOLDER; Rscript tests/reference/multinomial.R FOLDER [MODEL ...]
# eta_k = x'beta_k + u_k for k = 2 ... K, u ~ N(0, Sigma); alike: Sigma = s (I + 11'), which is what
# independent effects with one variance on the scores of all K classes give their log-odds.
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "common.R"))

# Nodes and weights for the standard normal (Golub & Welsch 1969).
hermite <- function(n) {
  jacobi <- matrix(0, n, n)
  for (k in seq_len(n - 1)) jacobi[k, k + 1] <- jacobi[k + 1, k] <- sqrt(k)
  found <- eigen(jacobi, symmetric = TRUE)
  list(at = found$values, weight = found$vectors[1, ]^2)
}

# h(v) = sum log p(y | X B + L v) - v'v / 2 of each person, with its gradient and -Hessian, for K = 3.
at <- function(v, eta, L, y, who) {
  full <- eta + (v %*% t(L))[who, ]
  top <- pmax(0, full[, 1], full[, 2])
  odds <- cbind(exp(-top), exp(full - top))
  p <- odds / rowSums(odds)
  chosen <- cbind(0, full)[cbind(seq_along(y), y)] - top - log(rowSums(odds))
  sums <- rowsum(cbind(chosen, (y == 2) - p[, 2], (y == 3) - p[, 3],
                       p[, 2] * (1 - p[, 2]), -p[, 2] * p[, 3], p[, 3] * (1 - p[, 3])), who)
  # L' W L + I, by hand for two rows and columns
  a <- L[1, 1]; b <- L[2, 1]; d <- L[2, 2]
  w <- sums[, 4:6, drop = FALSE]
  list(h = sums[, 1] - rowSums(v^2) / 2, gradient = sums[, 2:3, drop = FALSE] %*% L - v,
       h11 = a^2 * w[, 1] + 2 * a * b * w[, 2] + b^2 * w[, 3] + 1,
       h12 = a * d * w[, 2] + b * d * w[, 3], h22 = d^2 * w[, 3] + 1)
}

model <- function(name, outcome, formula, factor, alike) function() {
  data <- rows(name)
  who <- as.integer(data[[factor]])
  y <- as.integer(factor(data[[outcome]]))
  X <- model.matrix(formula, data)
  p <- ncol(X)
  nodes <- hermite(15)
  root <- function(theta) {
    if (alike) t(chol(exp(2 * theta) * (diag(2) + 1)))
    else matrix(c(exp(theta[1]), theta[2], 0, exp(theta[3])), 2)
  }
  mode <- matrix(0, nlevels(data[[factor]]), 2)
  parts <- function(par) {
    eta <- X %*% matrix(par[seq_len(2 * p)], p)
    L <- root(par[-seq_len(2 * p)])
    v <- mode
    now <- at(v, eta, L, y, who)
    for (iteration in 1:100) {
      g <- now$gradient
      if (max(abs(g)) < 1e-11) break
      size <- now$h11 * now$h22 - now$h12^2
      step <- cbind(now$h22 * g[, 1] - now$h12 * g[, 2], now$h11 * g[, 2] - now$h12 * g[, 1]) / size
      share <- rep(1, nrow(v))
      repeat {
        tried <- at(v + share * step, eta, L, y, who)
        worse <- is.na(tried$h) | tried$h < now$h - 1e-9
        if (!any(worse)) break
        share[worse] <- share[worse] / 2
      }
      v <- v + share * step
      now <- tried
    }
    mode <<- v
    list(now = now, v = v, eta = eta, L = L)
  }
  minus <- function(par, points = 1) {
    if (any(abs(par) > 20)) return(1e6)  # a line search went astray
    found <- parts(par)
    now <- found$now
    # H = C'C
    c11 <- sqrt(now$h11); c12 <- now$h12 / c11; c22 <- sqrt(now$h22 - c12^2)
    if (points == 1) return(-sum(now$h - log(c11 * c22)))
    total <- 0
    for (i in seq_len(points)) for (j in seq_len(points)) {
      z <- nodes$at[c(i, j)]
      second <- z[2] / c22
      step <- cbind((z[1] - c12 * second) / c11, second)
      value <- at(found$v + step, found$eta, found$L, y, who)$h - now$h + sum(z^2) / 2
      total <- total + nodes$weight[i] * nodes$weight[j] * exp(value)
    }
    -sum(now$h + log(total) - log(c11 * c22))
  }
  slope <- function(par) vapply(seq_along(par), function(k) {
    step <- replace(numeric(length(par)), k, 1e-5)
    (minus(par + step) - minus(par - step)) / 2e-5
  }, numeric(1))
  start <- c(rep(0, 2 * p), if (alike) 0 else c(0, 0.3, 0))
  seconds <- system.time({
    one <- nlminb(start, minus, slope, control = list(rel.tol = 1e-14, eval.max = 1000, iter.max = 500))
  })[["elapsed"]]
  mode[] <- 0
  two <- optim(start + 0.1, minus, slope, method = "BFGS", control = list(reltol = 1e-14, maxit = 500))
  values <- -c(nlminb = one$objective, BFGS = two$value)
  par <- if (which.max(values) == 1) one$par else two$par
  curve <- optimHess(par, minus, slope)
  fixed <- par[seq_len(2 * p)]
  names(fixed) <- paste(rep(levels(factor(data[[outcome]]))[-1], each = p), colnames(X), sep = ":")
  found <- parts(par)
  effects <- found$v %*% t(found$L)
  sigma <- found$L %*% t(found$L)
  dimnames(sigma) <- rep(list(levels(factor(data[[outcome]]))[-1]), 2)
  dimnames(effects) <- list(levels(data[[factor]]), rownames(sigma))
  height <- max(values)
  n <- length(par)
  rbind(line("rows", length(y)), line("outcome_sum", sum(data[[outcome]])), line("log_likelihood", height),
        line("log_likelihood_integrated", -minus(par, 15)), line("parameters", n), line("aic", -2 * height + 2 * n), line("bic", -2 * height + log(length(y)) * n),
        fixed_lines(fixed, solve(curve)[seq_along(fixed), seq_along(fixed)]),
        line("fit_gradient", max(abs(slope(par)))), line("optimiser", names(which.max(values))),
        line("optimiser_gap", abs(diff(unname(values)))), line("message", one$message),
        line("seconds", signif(seconds, 2)), covariance_lines(sigma, factor), mode_lines(effects, NULL, factor))
}

housing <- ~ section8 + month6 + month12 + month24
words <- ~ scold + shout + self
models <- list(
  housing_alike_laplace = model("housing", "lives", housing, "id", TRUE),
  housing_full_laplace = model("housing", "lives", housing, "id", FALSE),
  swearing_alike_laplace = model("swearing", "resp", words, "id", TRUE),
  swearing_full_laplace = model("swearing", "resp", words, "id", FALSE))
write_models("multinomial", models, character())
