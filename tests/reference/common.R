# Shared by the scripts of this folder: reads the studies, records numbers, writes one long table.
arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) < 1) stop("Rscript tests/reference/NAME.R FOLDER [MODEL ...], see README.md")
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
factors <- c("Subject", "plate", "sample", "batch", "Dog", "side", "s", "d", "dept", "herd",
             "district", "subject", "id", "item", "BROOD", "LOCATION", "INDEX", "judge",
             "respondent", "Mare", "Rat", "person", "school", "class")

rows <- function(name) {
  data <- read.csv(file.path(arguments[1], paste0(name, ".csv")), check.names = FALSE)
  for (column in intersect(factors, names(data))) {
    data[[column]] <- factor(as.character(data[[column]]))
  }
  data
}

# A long table: one line per number (or text); factor, level and term say what it belongs to.
line <- function(quantity, value, term = "", factor = "", level = "") {
  text <- if (is.numeric(value)) formatC(value, digits = 15, format = "g", width = 1) else as.character(value)
  data.frame(quantity = quantity, factor = factor, level = level, term = term, value = text,
             stringsAsFactors = FALSE)
}

fixed_lines <- function(estimate, covariance, term = names(estimate)) {
  rbind(line("fixed", unname(estimate), term),
        line("fixed_se", unname(sqrt(diag(as.matrix(covariance)))), term))
}

# Variances, standard deviations, covariances and correlations of one factor's effects.
covariance_lines <- function(covariance, factor) {
  names <- rownames(covariance)
  out <- rbind(line("variance", unname(diag(covariance)), names, factor),
               line("sd", unname(sqrt(diag(covariance))), names, factor))
  for (a in seq_along(names)) for (b in seq_len(a - 1)) {
    pair <- paste(names[b], names[a], sep = " ~ ")
    scale <- sqrt(covariance[a, a] * covariance[b, b])
    out <- rbind(out, line("covariance", covariance[a, b], pair, factor),
                 line("correlation", if (scale > 0) covariance[a, b] / scale else NA_real_, pair, factor))
  }
  out
}

# Up to 30 levels: all of them; else 10, evenly spread over the sorted names.
chosen <- function(levels) {
  levels <- sort(levels, method = "radix")
  if (length(levels) > 30) levels[round(seq(1, length(levels), length.out = 10))] else levels
}

mode_lines <- function(modes, sds, factor) {
  out <- NULL
  for (level in chosen(rownames(modes))) for (term in colnames(modes)) {
    out <- rbind(out, line("mode", modes[level, term], term, factor, level))
    if (!is.null(sds)) out <- rbind(out, line("mode_sd", sds[level, term], term, factor, level))
  }
  out
}

likelihood_lines <- function(fit, outcome) {
  value <- logLik(fit)
  rbind(line("rows", length(outcome)),
        line("outcome_sum", sum(as.numeric(outcome))),
        line("log_likelihood", as.numeric(value)), line("parameters", attr(value, "df")),
        line("aic", AIC(fit)), line("bic", BIC(fit)))
}

# The best fit of several optimisers or starts; gap: log-likelihood that the second best lacks.
best <- function(fits) {
  fits <- Filter(Negate(is.null), fits)
  if (!length(fits)) stop("no optimiser succeeded")
  values <- vapply(fits, function(fit) as.numeric(logLik(fit)), numeric(1))
  list(fit = fits[[which.max(values)]], optimiser = names(fits)[which.max(values)],
       gap = unname(-diff(sort(values, decreasing = TRUE)[1:2])), tried = paste(names(fits), collapse = " "))
}
attempt <- function(expression) {
  tryCatch(expression, error = function(e) { message("  failed: ", conditionMessage(e)); NULL })
}

# Runs the models (all, or those named after the folder); each is put into NAME.csv at once.
write_models <- function(name, models, packages) {
  wanted <- if (length(arguments) > 1) arguments[-1] else names(models)
  stopifnot(wanted %in% names(models))
  path <- file.path(here, paste0(name, ".csv"))
  old <- if (file.exists(path)) read.csv(path, colClasses = "character", na.strings = character()) else NULL
  parts <- if (is.null(old)) list() else split(old, old$model)
  versions <- c(R = as.character(getRversion()),
                sapply(packages, function(p) as.character(packageVersion(p))))
  parts[["versions"]] <- cbind(model = "versions", line("version", unname(versions), names(versions)))
  for (model in wanted) {
    start <- proc.time()[["elapsed"]]
    found <- attempt(models[[model]]())
    if (is.null(found)) { cat(model, "FAILED\n"); next }
    parts[[model]] <- cbind(model = model, found, stringsAsFactors = FALSE)
    value <- function(key) parts[[model]]$value[parts[[model]]$quantity == key]
    cat(sprintf("%s %.1f s, log-likelihood %s, gap %s, %s\n", model, proc.time()[["elapsed"]] - start,
                value("log_likelihood"), value("optimiser_gap"), value("message")))
    order <- c("versions", intersect(names(models), names(parts)))
    write.csv(do.call(rbind, parts[order]), path, row.names = FALSE, quote = TRUE)
  }
}
