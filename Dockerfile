FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends make ca-certificates
COPY . /posenc
WORKDIR /posenc
RUN make build
CMD ["make", "test"]
