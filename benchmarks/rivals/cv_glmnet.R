# Reads the problem from the file named on the command line, then fits the targets asked for on
# stdin, "<target> <type.gaussian>" a line. Only cv.glmnet is timed.
suppressPackageStartupMessages(library(glmnet))
path <- commandArgs(trailingOnly = TRUE)[1]
connection <- file(path, "rb")
take <- function(count) readBin(connection, "double", count)
size <- take(4)
x <- matrix(take(size[1] * size[2]), size[1], size[2])
y <- matrix(take(size[1] * size[3]), size[1], size[3])
foldid <- take(size[1])
lambda <- take(size[4])
close(connection)
unlink(path)

# R compiles a function when it is called a second time.
for (type in rep(c("covariance", "naive"), 3)) {
  cv.glmnet(matrix(rnorm(2000), 200), rnorm(200), lambda = lambda, type.gaussian = type)
}

requests <- file("stdin", "r")
while (length(line <- readLines(requests, n = 1)) > 0) {
  request <- strsplit(line, " ")[[1]]
  target <- y[, as.integer(request[1])]
  start <- proc.time()[["elapsed"]]
  fit <- cv.glmnet(x, target, foldid = foldid, lambda = lambda, type.gaussian = request[2])
  seconds <- proc.time()[["elapsed"]] - start
  cat(sprintf("RESULT %.6f %.17g %.17g\n", seconds, fit$lambda.min, fit$lambda.1se))
  flush(stdout())
}
