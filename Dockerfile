# The page on a CPU, with the weights inside: docker build -t uncover . && docker run -p 7860:7860 uncover
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

# PyTorch for the CPU; torchvision has to come from the same place.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# hadolint ignore=DL3013
RUN pip install --no-cache-dir torch torchvision --index-url "$TORCH_INDEX"
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt

COPY . ./
RUN pip install --no-cache-dir --no-deps . && rm -rf /home/user/app/*

USER 1000
WORKDIR /home/user
ENV GRADIO_SERVER_NAME=0.0.0.0 HF_HUB_OFFLINE=1
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/config')"]
CMD ["uncover", "page", "--port", "7860"]
